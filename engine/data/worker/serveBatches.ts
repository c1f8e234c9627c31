import type { MessagePort } from 'node:worker_threads';
import { EngineError } from '../../api/errors.ts';
import { DefaultCollate } from '../collate/defaultCollate.ts';
import { isMapDataset, isStreamDataset } from '../dataset/dataset.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { type Fetched, fetchSamples } from '../loader/fetch.ts';
import { type StreamBatch, type StreamCut, streamBatches } from '../loader/streamBatches.ts';
import { streamWalk } from '../loader/walkReport.ts';
import { packBatch } from './packBatch.ts';
import type { WorkerBatch, WorkerReply, WorkerRequest, WorkerSetup } from './protocol.ts';
import { followRecipe, type WorkerParts } from './recipe.ts';
import { packError } from './workerError.ts';
import { setWorkerInfo } from './workerInfo.ts';

/** The life of a worker thread: makes the dataset, then reads and collates what it is asked for, one batch at a time. */
export async function serveBatches(setup: WorkerSetup, port: MessagePort): Promise<void> {
  setWorkerInfo({ id: setup.id, num_workers: setup.count });
  let server: BatchServer;
  try {
    const tell = (text: string) => send(port, { type: 'note', text });
    server = new BatchServer(await followRecipe(setup.recipe), setup.hasCollate, tell);
  } catch (error) {
    send(port, { type: 'refused', error: packError(error) });
    return;
  }
  let work = Promise.resolve();
  port.on('message', (request: WorkerRequest) => {
    work = work.then(() => serve(server, port, request));
  });
  send(port, { type: 'ready', length: server.length });
}

async function serve(server: BatchServer, port: MessagePort, request: WorkerRequest): Promise<void> {
  switch (request.type) {
    case 'open':
      return server.open(request.pass, request.cut);
    case 'close':
      return server.close(request.pass);
    case 'stop':
      // ends this thread, not the process
      return process.exit();
    case 'read':
    case 'next':
      try {
        const batch = await (request.type === 'read'
          ? server.read(request.indices, request.key)
          : server.next(request.pass));
        if (batch === undefined) return send(port, { type: 'end', id: request.id });
        const { value, transfer } = packBatch(batch.value);
        port.postMessage({ type: 'batch', id: request.id, batch: { ...batch, value } } satisfies WorkerReply, transfer);
      } catch (error) {
        send(port, { type: 'error', id: request.id, error: packError(error) });
      }
  }
}

function send(port: MessagePort, reply: WorkerReply): void {
  port.postMessage(reply);
}

type HostCollate = (samples: readonly unknown[]) => unknown;

class BatchServer {
  readonly #dataset: unknown;
  /** Undefined when collating makes tensors, which only the training process can. */
  readonly #collate: HostCollate | undefined;
  readonly #mayStack: boolean;
  readonly #tell: (text: string) => void;
  readonly #streams = new Map<number, AsyncGenerator<StreamBatch, void, undefined>>();

  constructor(parts: WorkerParts, hasCollate: boolean, tell: (text: string) => void) {
    this.#tell = tell;
    this.#dataset = parts.dataset;
    this.#mayStack = !hasCollate;
    this.#collate = hasCollate ? hostCollate(parts.collate) : hostCollate(new DefaultCollate());
    if (!isMapDataset(parts.dataset) && !isStreamDataset(parts.dataset)) {
      throw new EngineError('data.worker.recipe', 'What the recipe made is no dataset with get or samples.', {});
    }
  }

  get length(): number | undefined {
    return isMapDataset(this.#dataset) ? this.#dataset.length : undefined;
  }

  async read(indices: readonly number[], key: PassKey): Promise<WorkerBatch> {
    if (!isMapDataset(this.#dataset)) throw new Error('Internal error: samples by number of a stream');
    return this.#assemble(await fetchSamples(this.#dataset, indices, key, this.#mayStack));
  }

  open(pass: number, cut: StreamCut): void {
    if (!isStreamDataset(this.#dataset)) return;
    // all threads walk alike: one tells
    const walk = cut.worker.id === 0 ? streamWalk(this.#dataset, this.#tell) : undefined;
    this.#streams.set(
      pass,
      streamBatches(this.#dataset, cut, (...at) => walk?.passed(...at)),
    );
  }

  async next(pass: number): Promise<WorkerBatch | undefined> {
    const result = await this.#streams.get(pass)?.next();
    if (result === undefined || result.done === true) return undefined;
    const { samples, ...rest } = result.value;
    return { ...this.#assemble({ kind: 'samples', values: samples }), ...rest };
  }

  async close(pass: number): Promise<void> {
    const stream = this.#streams.get(pass);
    this.#streams.delete(pass);
    await stream?.return().catch(() => undefined);
  }

  #assemble(fetched: Fetched): WorkerBatch {
    if (fetched.kind === 'stacked') return { kind: 'stacked', value: fetched.value };
    if (this.#collate === undefined) return { kind: 'samples', value: fetched.values };
    return { kind: 'stacked', value: this.#collate(fetched.values) };
  }
}

function hostCollate(value: unknown): HostCollate | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('host' in value) || typeof value.host !== 'function') return undefined;
  const host: (samples: readonly unknown[]) => unknown = value.host.bind(value);
  return host;
}
