import { EngineError } from '../../api/errors.ts';
import type { PassKey } from '../dataset/passKey.ts';
import type { StreamCut } from '../loader/streamBatches.ts';
import { countBuffersInHeapLimit } from './buffersInHeapLimit.ts';
import type { WorkerBatch } from './protocol.ts';
import type { WorkerRecipe } from './recipe.ts';
import { standInNames } from './standInNames.ts';
import { WorkerThread } from './workerThread.ts';

export interface WorkerPoolOptions {
  readonly recipe: WorkerRecipe;
  readonly count: number;
  readonly hasCollate: boolean;
  /** Samples that the dataset of this process has; undefined for a stream. */
  readonly length: number | undefined;
  /** Hears what a thread has to tell. */
  readonly onNote: (text: string) => void;
}

/** The worker threads of one loader. */
export class WorkerPool {
  readonly #threads: readonly WorkerThread[];
  #nextPass = 0;

  private constructor(threads: readonly WorkerThread[]) {
    this.#threads = threads;
  }

  /**
   * Starts `count` threads and waits until each has made its copy of the dataset, which must have `length` samples.
   * Throws why one of them cannot; none is left then.
   */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const { recipe, count, hasCollate, length } = options;
    countBuffersInHeapLimit();
    const names = await standInNames();
    const threads = Array.from(
      { length: count },
      (_, id) => new WorkerThread({ recipe, id, count, hasCollate, names }, options.onNote),
    );
    const pool = new WorkerPool(threads);
    try {
      const lengths = await Promise.all(threads.map((thread) => thread.ready));
      const other = lengths.find((found) => found !== length);
      if (length !== undefined && other !== undefined) {
        throw new EngineError(
          'data.worker.differs',
          `The dataset has ${length} samples, but made again in a worker thread it has ${other}. Building it must not depend on chance, time or what the process did before.`,
          { length, other },
        );
      }
      return pool;
    } catch (error) {
      await pool.dispose();
      throw error;
    }
  }

  get size(): number {
    return this.#threads.length;
  }

  get isBroken(): boolean {
    return this.#threads.some((thread) => thread.isEnded);
  }

  /** Reads a batch on the thread with the least to do. */
  read(indices: readonly number[], key: PassKey): Promise<WorkerBatch> {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new Error('Internal error: a pool without threads');
    return others.reduce((best, thread) => (thread.load < best.load ? thread : best), first).read(indices, key);
  }

  /** Begins a pass over a stream, each thread with its share. `close` ends it. */
  openStream(cut: Omit<StreamCut, 'worker'>): { next(index: number): Promise<WorkerBatch | undefined>; close(): void } {
    const pass = this.#nextPass++;
    const count = this.#threads.length;
    for (const thread of this.#threads) {
      thread.post({ type: 'open', pass, cut: { ...cut, worker: { id: thread.id, count } } });
    }
    return {
      next: (index) => this.#threads[index % count]?.next(pass) ?? Promise.resolve(undefined),
      close: () => {
        for (const thread of this.#threads) thread.post({ type: 'close', pass });
      },
    };
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.dispose()));
  }
}
