import { EngineError } from '../../api/errors.ts';
import {
  disposeBatch,
  type LoadedBatch,
  type Loader,
  type LoaderPass,
  type Shard,
  type StreamState,
} from '../../data/index.ts';

export interface CursorPosition {
  readonly pass: number;
  /** The next batch of the pass. */
  readonly batch: number;
}

export interface NextBatch {
  readonly loaded: LoadedBatch;
  /** Whether the pass over the loader ends with it. */
  readonly isLast: boolean;
}

/**
 * Walks pass after pass over a loader, from any position. Where the length is known nothing is read ahead of time; where
 * it is not, one batch is, to know the last one.
 */
export class BatchCursor {
  readonly #loader: Loader;
  readonly #shard: Shard;
  readonly #length: number | undefined;
  #pass: number;
  #batch: number;
  #iterator: LoaderPass | undefined;
  #ahead: LoadedBatch | undefined;
  #stream: StreamState | undefined;

  /** `stream` belongs to `start`. `length` is the pass's length that all ranks agreed on. */
  constructor(loader: Loader, shard: Shard, length: number | undefined, start: CursorPosition, stream?: StreamState) {
    this.#loader = loader;
    this.#shard = shard;
    this.#length = length;
    this.#pass = start.pass;
    this.#batch = start.batch;
    this.#stream = stream;
  }

  /** Where the batch after the last one given lies. */
  get position(): CursorPosition {
    return { pass: this.#pass, batch: this.#batch };
  }

  /** Where a stream stands after the last batch given, where it says so. Batches read ahead do not count. */
  get stream(): StreamState | undefined {
    return this.#stream;
  }

  /** A promise only where something has to be waited for. */
  next(): NextBatch | Promise<NextBatch> {
    // at the end of a pass reading is ended, which is to be waited for
    const isInside = this.#length !== undefined && this.#batch + 1 < this.#length;
    const loaded = isInside ? this.#open().take?.() : undefined;
    return loaded === undefined ? this.#wait() : { loaded: this.#given(loaded), isLast: false };
  }

  async #wait(): Promise<NextBatch> {
    if (this.#length !== undefined && this.#batch >= this.#length) await this.#nextPass();
    let loaded = this.#ahead ?? (await this.#read());
    this.#ahead = undefined;
    if (loaded === undefined && this.#batch > 0) {
      await this.#nextPass();
      loaded = await this.#read();
    }
    if (loaded === undefined) {
      throw new EngineError(
        'trainer.loader.empty',
        `The training loader gives no batch in pass ${this.#pass}: the dataset is empty, or smaller than one batch with drop_last.`,
        { pass: this.#pass },
      );
    }
    return { loaded: this.#given(loaded), isLast: await this.#endPassAfter() };
  }

  #given(loaded: LoadedBatch): LoadedBatch {
    this.#batch++;
    this.#stream = loaded.stream;
    return loaded;
  }

  async #endPassAfter(): Promise<boolean> {
    if (this.#length === undefined) this.#ahead = await this.#read();
    const isLast = this.#length === undefined ? this.#ahead === undefined : this.#batch >= this.#length;
    if (isLast) await this.#nextPass();
    return isLast;
  }

  #open(): LoaderPass {
    this.#iterator ??= this.#loader.pass({
      pass: this.#pass,
      start: this.#batch,
      shard: this.#shard,
      captures: true,
      stream: this.#stream,
    });
    return this.#iterator;
  }

  async #read(): Promise<LoadedBatch | undefined> {
    const result = await this.#open().next();
    return result.done === true ? undefined : result.value;
  }

  async #nextPass(): Promise<void> {
    await this.dispose();
    this.#pass++;
    this.#batch = 0;
    this.#stream = undefined;
  }

  /** Ends reading; the position stays. */
  async dispose(): Promise<void> {
    if (this.#ahead !== undefined) disposeBatch(this.#ahead.batch);
    this.#ahead = undefined;
    const iterator = this.#iterator;
    this.#iterator = undefined;
    await iterator?.return?.();
  }
}
