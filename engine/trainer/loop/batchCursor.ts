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

export interface CursorOptions {
  readonly loader: Loader;
  readonly shard: Shard;
  /** The pass's length that all ranks agreed on. */
  readonly length: number | undefined;
  readonly start: CursorPosition;
  /** Where a stream stands at `start`. */
  readonly stream: StreamState | undefined;
  /** Whether data that is waited for is not wanted any more. */
  readonly isStopWanted: () => boolean;
}

const lookForStopEveryMs = 200;

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
  readonly #isStopWanted: () => boolean;
  #giveUp: (() => void) | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor({ loader, shard, length, start, stream, isStopWanted }: CursorOptions) {
    this.#loader = loader;
    this.#shard = shard;
    this.#length = length;
    this.#pass = start.pass;
    this.#batch = start.batch;
    this.#stream = stream;
    this.#isStopWanted = isStopWanted;
  }

  /** Where the batch after the last one given lies. */
  get position(): CursorPosition {
    return { pass: this.#pass, batch: this.#batch };
  }

  /** Where a stream stands after the last batch given, where it says so. Batches read ahead do not count. */
  get stream(): StreamState | undefined {
    return this.#stream;
  }

  /**
   * A promise only where something has to be waited for; it gives undefined where a stop was asked for meanwhile: then no
   * more can be read.
   */
  next(): NextBatch | Promise<NextBatch | undefined> {
    // at the end of a pass reading is ended, which is to be waited for
    const isInside = this.#length !== undefined && this.#batch + 1 < this.#length;
    const loaded = isInside ? this.#open().take?.() : undefined;
    return loaded === undefined ? this.#unlessStopped(this.#wait()) : { loaded: this.#given(loaded), isLast: false };
  }

  /** Data may never come: a dataset that hangs must not keep a training from saving. */
  #unlessStopped(reading: Promise<NextBatch>): Promise<NextBatch | undefined> {
    // one clock for all waits: most are shorter than it takes to set one
    this.#watch ??= setInterval(() => {
      if (this.#giveUp !== undefined && this.#isStopWanted()) this.#giveUp();
    }, lookForStopEveryMs).unref();
    return new Promise((resolve, reject) => {
      this.#giveUp = () => {
        this.#abandon(reading);
        resolve(undefined);
      };
      const done = (end: () => void) => {
        this.#giveUp = undefined;
        end();
      };
      reading.then(
        (next) => done(() => resolve(next)),
        (error: unknown) => done(() => reject(error)),
      );
    });
  }

  /** Nobody waits for the end of reading, which may not come. */
  #abandon(reading: Promise<NextBatch>): void {
    this.#giveUp = undefined;
    const iterator = this.#iterator;
    this.#iterator = undefined;
    reading.then(
      ({ loaded }) => disposeBatch(loaded.batch),
      () => undefined,
    );
    iterator?.return?.().catch(() => undefined);
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
    clearInterval(this.#watch);
    this.#watch = undefined;
    if (this.#ahead !== undefined) disposeBatch(this.#ahead.batch);
    this.#ahead = undefined;
    const iterator = this.#iterator;
    this.#iterator = undefined;
    await iterator?.return?.();
  }
}
