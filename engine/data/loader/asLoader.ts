import { EngineError } from '../../api/errors.ts';
import { disposeBatch } from '../collate/collate.ts';
import { nameOf } from '../dataset/stateful.ts';
import type { Shard } from '../sampler/shard.ts';
import { type LoadedBatch, type Loader, type PassOptions, singleShard } from './loader.ts';
import { WalkReport } from './walkReport.ts';

/** A project's own loader: any iterable of batches, with what it may say about itself. */
interface ForeignLoader {
  readonly dataset?: unknown;
  readonly length?: unknown;
  readonly batch_size?: unknown;
  set_epoch?(epoch: number): void;
}

type Batches = AsyncIterable<unknown> | Iterable<unknown>;

/** Our loaders as they are; any other iterable of batches is walked, each rank keeping every N-th batch. */
export function asLoader(value: unknown, key: string): Loader {
  if (isLoader(value)) return value;
  if (isBatches(value)) return new WalkedLoader(value);
  throw new EngineError(
    'data.loader.kind',
    `'${key}' must be a DataLoader or an iterable of batches; it is ${value === null ? 'null' : typeof value}.`,
    { key },
  );
}

function isLoader(value: unknown): value is Loader {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pass' in value &&
    typeof value.pass === 'function' &&
    'passLength' in value &&
    typeof value.passLength === 'function'
  );
}

function isBatches(value: unknown): value is Batches & ForeignLoader {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

class WalkedLoader implements Loader {
  readonly #batches: Batches & ForeignLoader;
  #tell: (text: string) => void = (text) => process.emitWarning(text);

  constructor(batches: Batches & ForeignLoader) {
    this.#batches = batches;
  }

  get dataset(): unknown {
    return this.#batches.dataset;
  }

  get length(): number | undefined {
    return typeof this.#batches.length === 'number' ? this.#batches.length : undefined;
  }

  get batch_size(): number | undefined {
    return typeof this.#batches.batch_size === 'number' ? this.#batches.batch_size : undefined;
  }

  setNoteSink(tell: (text: string) => void): void {
    this.#tell = tell;
  }

  // An incomplete last round is dropped: ranks must do the same number of steps.
  passLength(shard: Shard = singleShard): number | undefined {
    return this.length === undefined ? undefined : Math.floor(this.length / shard.worldSize);
  }

  async *pass(options: PassOptions): AsyncGenerator<LoadedBatch, void, undefined> {
    const { start = 0, shard = singleShard } = options;
    this.#batches.set_epoch?.(options.pass);
    const real = this.batch_size ?? 1;
    const what = `The loader ${nameOf(this.#batches)}`;
    const walk = new WalkReport(what, 'a loader that is no DataLoader can only be walked', this.#tell);
    let round: unknown[] = [];
    let index = 0;
    for await (const batch of this.#batches) {
      round.push(batch);
      if (round.length < shard.worldSize) continue;
      // whoever iterates frees what it is given; what goes to other ranks or was seen before it never sees
      for (const [rank, other] of round.entries()) if (rank !== shard.rank || index < start) disposeBatch(other);
      if (index >= start) yield { batch: round[shard.rank], index, indices: [], real };
      else walk.passed(index + 1, start);
      index++;
      round = [];
    }
    if (shard.mode === 'exact' && round.length > 0) {
      const isMine = shard.rank < round.length;
      const taken = isMine ? shard.rank : 0;
      for (const [rank, other] of round.entries()) if (rank !== taken) disposeBatch(other);
      yield { batch: round[taken], index, indices: [], real: isMine ? real : 0 };
    } else {
      for (const other of round) disposeBatch(other);
    }
  }
}
