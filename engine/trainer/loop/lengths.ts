import { EngineError } from '../../api/errors.ts';
import type { Shard } from '../../data/index.ts';
import type { TrainerSettings } from '../settings.ts';

/** How training batches are dealt out to a rank. */
export function trainingShard(settings: Pick<TrainerSettings, 'even_batches'>, rank: number, worldSize: number): Shard {
  return { rank, worldSize, mode: settings.even_batches ? 'wrap' : 'uneven' };
}

/**
 * Steps of a pass that all ranks can make: the fewest of theirs; undefined where no rank's data says. Throws
 * `trainer.loader.empty`.
 */
export function shortestPass(lengths: readonly (number | null)[], worldSize: number): number | undefined {
  const known = lengths.filter((length) => length !== null);
  if (known.length === 0) return undefined;
  const shortest = Math.min(...known);
  if (shortest > 0) return shortest;
  throw new EngineError(
    'trainer.loader.empty',
    `The training loader gives no batch${worldSize > 1 ? ` to each of ${worldSize} processes` : ''}: its dataset is empty, or smaller than batch_size with drop_last: true.`,
    { lengths },
  );
}

/** Steps of an epoch: as set, or one pass. Throws `trainer.epoch-length` where neither is known. */
export function readEpochLength(
  settings: Pick<TrainerSettings, 'epoch_length'>,
  passLength: number | undefined,
): number {
  const length = settings.epoch_length ?? passLength;
  if (length !== undefined) return length;
  throw new EngineError(
    'trainer.epoch-length',
    'The training data does not say how long it is, so trainer.epoch_length must: set the number of steps of an epoch.',
    {},
  );
}
