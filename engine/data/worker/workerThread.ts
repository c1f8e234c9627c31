import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../../api/errors.ts';
import type { WorkerBatch, WorkerReply, WorkerRequest, WorkerSetup } from './protocol.ts';
import { unpackError } from './workerError.ts';

/** How long a thread may finish what it reads before it is ended the hard way. */
const stopLimitMs = 500;
const exitAdvice =
  ' Look for process.exit() there; a native library that crashes, or too little memory, ends a thread too.';

export type WorkerThreadOptions = Omit<WorkerSetup, 'compileCache'>;

type State = 'starting' | 'ready' | 'ended';

interface Waiting {
  readonly what: string;
  resolve(batch: WorkerBatch | undefined): void;
  reject(error: unknown): void;
}

/**
 * One worker thread, seen from the training process: starting → ready → ended. It keeps the process alive only while an
 * answer is awaited. Whatever ends it, every request under way is answered.
 */
export class WorkerThread {
  readonly id: number;
  /** Resolves with the dataset's length when the thread has made its copy; rejects when it cannot. */
  readonly ready: Promise<number | undefined>;
  readonly #worker: Worker;
  readonly #onNote: (text: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #settleReady: { resolve(length: number | undefined): void; reject(error: unknown): void } | undefined;
  #state: State = 'starting';
  #nextId = 0;

  constructor(options: WorkerThreadOptions, onNote: (text: string) => void) {
    this.#onNote = onNote;
    this.id = options.id;
    const cache = getCompileCacheDir();
    const setup: WorkerSetup = {
      ...options,
      compileCache: cache === undefined ? undefined : dirname(cache),
    };
    this.#worker = new Worker(new URL('./workerMain.ts', import.meta.url), {
      workerData: setup,
      name: `data-loader-${options.id}`,
    });
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#end(`ended by itself (exit code ${code})`, undefined, exitAdvice);
        resolve();
      });
    });
    this.#worker.on('message', (reply: WorkerReply) => this.#onReply(reply));
    this.#worker.on('messageerror', (error) => this.#end('gave something unreadable', error));
    this.#worker.on('error', (error) => this.#end(`failed: ${error instanceof Error ? error.message : error}`, error));
  }

  /** Requests that are not answered yet. */
  get load(): number {
    return this.#waiting.size;
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  read(indices: readonly number[], key: { readonly seed: number; readonly pass: number }): Promise<WorkerBatch> {
    const what = `samples ${indices.slice(0, 8).join(', ')}${indices.length > 8 ? ', …' : ''}`;
    return this.#ask(what, (id) => ({ type: 'read', id, indices, key })).then((batch) => {
      if (batch !== undefined) return batch;
      throw new EngineError('data.worker.died', `Worker thread ${this.id} gave no batch for ${what}.`, {});
    });
  }

  /** The next batch of this thread's share of a stream; undefined at its end. */
  next(pass: number): Promise<WorkerBatch | undefined> {
    return this.#ask('the next batch', (id) => ({ type: 'next', id, pass }));
  }

  post(request: WorkerRequest): void {
    if (this.#state !== 'ended') this.#worker.postMessage(request);
  }

  /** Ends the thread: politely, and after a limit at once. Requests under way are answered with an error. */
  async dispose(): Promise<void> {
    this.post({ type: 'stop' });
    this.#end('was ended', undefined);
    const hard = setTimeout(() => void this.#worker.terminate(), stopLimitMs);
    this.#worker.ref();
    await this.#exited;
    clearTimeout(hard);
  }

  #ask(what: string, request: (id: number) => WorkerRequest): Promise<WorkerBatch | undefined> {
    if (this.#state === 'ended') return Promise.reject(this.#died(what, 'has ended', undefined));
    const id = this.#nextId++;
    const answer = new Promise<WorkerBatch | undefined>((resolve, reject) => {
      this.#waiting.set(id, { what, resolve, reject });
    });
    this.#worker.ref();
    this.#worker.postMessage(request(id));
    return answer;
  }

  #onReply(reply: WorkerReply): void {
    if (reply.type === 'ready') {
      if (this.#state === 'starting') this.#state = 'ready';
      if (this.#waiting.size === 0) this.#worker.unref();
      this.#settleReady?.resolve(reply.length);
    } else if (reply.type === 'note') {
      this.#onNote(reply.text);
    } else if (reply.type === 'refused') {
      this.#settleReady?.reject(unpackError(reply.error, this.id));
    } else {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) this.#worker.unref();
      if (reply.type === 'error') waiting?.reject(unpackError(reply.error, this.id));
      else waiting?.resolve(reply.type === 'batch' ? reply.batch : undefined);
    }
  }

  #end(how: string, cause: unknown, advice = ''): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#settleReady?.reject(this.#died('its dataset', how, cause, advice));
    for (const waiting of this.#waiting.values()) waiting.reject(this.#died(waiting.what, how, cause, advice));
    this.#waiting.clear();
  }

  #died(what: string, how: string, cause: unknown, advice = ''): EngineError {
    return new EngineError(
      'data.worker.died',
      `Worker thread ${this.id} of the data loader ${how} while it read ${what}.${advice}`,
      { worker: this.id, ...(cause instanceof Error ? { stack: cause.stack } : {}) },
      { cause },
    );
  }
}
