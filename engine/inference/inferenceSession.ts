import { fileURLToPath } from 'node:url';
import { deserializeError, EngineError } from '../api/errors.ts';
import type { PredictInput, Prediction, SamplePage } from '../api/inferenceModel.ts';
import type { Disposable } from '../base/disposable.ts';
import { Emitter, type Event } from '../base/event.ts';
import type { ChildFailure } from '../process/childFailure.ts';
import type { Child, ForkChild } from '../process/childPort.ts';
import { watchChild } from '../process/watchChild.ts';
import type { InferenceArguments } from './modelContract.ts';
import { type SessionDescription, SessionMessage, type SessionRequest, type SessionStart } from './sessionProtocol.ts';

export interface SessionLimits {
  /** From the fork until the model is loaded. */
  readonly startMs: number;
  /** For one answer. */
  readonly answerMs: number;
  /** From the polite request to end until the process is ended the hard way. */
  readonly stopMs: number;
  /** How often a process that died is started again before the session gives up. */
  readonly restarts: number;
}

export const defaultSessionLimits: SessionLimits = { startMs: 120_000, answerMs: 120_000, stopMs: 3_000, restarts: 3 };

export interface SessionOptions {
  readonly fork: ForkChild;
  readonly start: Omit<SessionStart, 'type'>;
  readonly limits?: Partial<SessionLimits>;
  /** The process's module; a test gives another. */
  readonly module?: string;
}

/** starting → ready ⇄ restarting → ended. */
export type SessionState = 'starting' | 'ready' | 'restarting' | 'ended';

type Answer = Extract<SessionMessage, { id: number }>;
/** `Omit` over each member of the union. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: EngineError) => void;
  readonly timer: NodeJS.Timeout;
}

interface Attempt {
  readonly child: Child;
  readonly ready: Promise<SessionDescription>;
  readonly exited: Promise<void>;
}

/**
 * A checkpoint that answers questions, in a process of its own: a model that crashes or hangs takes nobody with it. A
 * process that dies is started again; requests that it had are refused, since they may be what killed it.
 */
export class InferenceSession implements Disposable {
  readonly #options: SessionOptions;
  readonly #limits: SessionLimits;
  readonly #ended = new Emitter<string>();
  readonly #waiting = new Map<number, Waiting>();
  #state: SessionState = 'starting';
  #attempt: Attempt;
  readonly #exits = new Set<Promise<void>>();
  #restarts = 0;
  #nextId = 1;
  #lastWords: () => string = () => '';

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#limits = { ...defaultSessionLimits, ...options.limits };
    this.#attempt = this.#begin();
  }

  /** Starts the process and waits for the model. Throws what kept it from loading, or 'inference.start-timeout'. */
  static async open(options: SessionOptions): Promise<{ session: InferenceSession; description: SessionDescription }> {
    const session = new InferenceSession(options);
    try {
      const description = await session.#attempt.ready;
      session.#state = 'ready';
      return { session, description };
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Fires once, with the reason, when the session ends without having been asked to. */
  get onDidEnd(): Event<string> {
    return this.#ended.event;
  }

  async predict(input: PredictInput, options: InferenceArguments = {}): Promise<Prediction> {
    const answer = await this.#ask({ type: 'predict', input, arguments: { ...options } });
    if (answer.type !== 'prediction') throw unexpected(answer);
    return answer.prediction;
  }

  async samples(split: string, offset: number, limit: number): Promise<SamplePage> {
    const answer = await this.#ask({ type: 'samples', split, offset, limit });
    if (answer.type !== 'samples') throw unexpected(answer);
    return answer.page;
  }

  /** Ends the process: politely by closing its channel, after a limit the hard way. Waits until it is gone. */
  async dispose(): Promise<void> {
    this.#state = 'ended';
    this.#refuseAll(new EngineError('inference.closed', 'The inference session was closed.'));
    const { child } = this.#attempt;
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#limits.stopMs);
    await Promise.all(this.#exits);
    clearTimeout(timer);
    this.#ended.dispose();
  }

  async #ask(request: Unnumbered<SessionRequest>): Promise<Answer> {
    this.#checkOpen();
    const { child, ready } = this.#attempt;
    await ready;
    this.#checkOpen();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#onOverdue(id), this.#limits.answerMs);
      this.#waiting.set(id, { resolve, reject, timer });
      child.send({ ...request, id }, (error) => {
        if (error !== null) this.#settle(id)?.reject(gone(error.message));
      });
    });
  }

  #checkOpen(): void {
    if (this.#state === 'ended') throw new EngineError('inference.closed', 'The inference session has ended.');
  }

  #begin(): Attempt {
    const { fork, start, module = fileURLToPath(new URL('sessionMain.ts', import.meta.url)) } = this.#options;
    const child = fork({ module, folder: start.projectRoot, environment: {} });
    const { ended: exit, lastWords } = watchChild(child);
    this.#lastWords = lastWords;
    const ready = this.#loaded(child, exit);
    // Whoever asks next hears of it; nobody asking must not end the host.
    ready.catch(() => undefined);
    const attempt = { child, ready, exited: exit.then(() => undefined) };
    this.#exits.add(attempt.exited);
    void exit.then((how) => {
      this.#exits.delete(attempt.exited);
      this.#onExit(attempt, how);
    });
    child.send({ type: 'start', ...start }, () => undefined);
    return attempt;
  }

  #loaded(child: Child, exit: Promise<string>): Promise<SessionDescription> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new EngineError(
            'inference.start-timeout',
            `The model was not loaded within ${this.#limits.startMs / 1000} s.`,
          ),
        );
        child.kill('SIGKILL');
      }, this.#limits.startMs);
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        action();
      };
      child.on('message', (raw) => {
        const message = SessionMessage.safeParse(raw);
        if (!message.success) return;
        if (message.data.type === 'ready') {
          const { description } = message.data;
          settle(() => resolve(description));
        } else if (message.data.type === 'failed') {
          const { failure } = message.data;
          settle(() => reject(errorOf(failure)));
        } else this.#onAnswer(message.data);
      });
      void exit.then((how) => settle(() => reject(gone(`${how} while loading the model.${this.#tail()}`))));
    });
  }

  #onAnswer(answer: Answer): void {
    const waiting = this.#settle(answer.id);
    if (answer.type === 'refused') waiting?.reject(errorOf(answer.failure));
    else waiting?.resolve(answer);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting !== undefined) clearTimeout(waiting.timer);
    return waiting;
  }

  #onOverdue(id: number): void {
    const seconds = this.#limits.answerMs / 1000;
    const message = `The model gave no answer within ${seconds} s; it is started anew.`;
    this.#settle(id)?.reject(new EngineError('inference.timeout', message));
    const attempt = this.#attempt;
    this.#onExit(attempt, `gave no answer within ${seconds} s`);
    attempt.child.kill('SIGKILL');
  }

  /** The process is gone, or as good as gone: another takes its place, or the session ends. */
  #onExit(attempt: Attempt, how: string): void {
    if (attempt !== this.#attempt || this.#state === 'ended' || this.#state === 'starting') return;
    this.#refuseAll(gone(`${how} while answering.${this.#tail()}`));
    if (this.#restarts >= this.#limits.restarts) {
      this.#state = 'ended';
      this.#ended.fire(`Its process ${how}. Gave up after ${this.#restarts} restarts.`);
      return;
    }
    this.#restarts += 1;
    this.#state = 'restarting';
    this.#attempt = this.#begin();
    this.#attempt.ready.then(
      () => {
        if (this.#state === 'restarting') this.#state = 'ready';
      },
      // a start that failed ends its process, which is where it is counted
      () => undefined,
    );
  }

  #refuseAll(error: EngineError): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(error);
  }

  #tail(): string {
    const lines = this.#lastWords().split('\n').slice(-3).join('\n').trim();
    return lines === '' ? '' : `\nIts last words:\n${lines}`;
  }
}

function gone(how: string): EngineError {
  return new EngineError('inference.process-died', `The process of the model ${how}`);
}

function errorOf(failure: ChildFailure): EngineError {
  return deserializeError(failure);
}

function unexpected(answer: Answer): EngineError {
  return new EngineError('inference.protocol', `The model's process gave an answer of type '${answer.type}'.`);
}
