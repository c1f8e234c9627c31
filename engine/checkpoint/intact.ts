import { EngineError } from '../api/errors.ts';
import { type CheckpointEntry, type ListOptions, listCheckpoints } from './list.ts';
import { findDamage } from './load.ts';

export interface NewestIntact {
  /** undefined when the run has none. */
  readonly checkpoint: CheckpointEntry | undefined;
  /** Newer ones that were passed over, each with what is wrong. */
  readonly damaged: readonly string[];
}

/**
 * The newest checkpoint by step whose files all have the sizes and hashes that were saved: what a run goes on from by
 * itself. Reads the chosen one as a whole.
 */
export async function newestIntact(root: string, where: ListOptions = {}): Promise<NewestIntact> {
  const entries = (await listCheckpoints(root, where)).filter(({ foreign }) => foreign === undefined);
  const damaged: string[] = [];
  for (const entry of entries.filter(({ problem }) => problem === undefined).reverse()) {
    const damage = await findDamage(entry.folder);
    if (damage === undefined) return { checkpoint: entry, damaged: [...brokenSince(entry, entries), ...damaged] };
    damaged.push(damage.message);
  }
  return { checkpoint: undefined, damaged: [...brokenSince(undefined, entries), ...damaged] };
}

/** Those that the listing already found unusable, unless they are older than the chosen one. */
function brokenSince(chosen: CheckpointEntry | undefined, entries: readonly CheckpointEntry[]): string[] {
  return entries.flatMap(({ path, problem, step, epoch }) => {
    const isOlder = chosen !== undefined && step <= chosen.step && epoch <= chosen.epoch;
    return problem === undefined || isOlder ? [] : [`${path} is damaged: ${problem}.`];
  });
}

/** What to tell a person when a run goes on from another checkpoint than the newest. */
export function passedOver({ checkpoint, damaged }: NewestIntact): string | undefined {
  if (damaged.length === 0) return undefined;
  const then = checkpoint === undefined ? 'There is no intact one.' : `Going on from ${checkpoint.path} instead.`;
  return `${damaged.join(' ')} ${then}`;
}

/** Refuses to begin anew, or from nothing, where there was something. */
export function noneIntact(root: string, { damaged }: NewestIntact): EngineError {
  return new EngineError(
    'checkpoint.corrupt',
    `No checkpoint of ${root} can be gone on from: ${damaged.join(' ')} Begin anew in another exp_dir, or name a permanent or best checkpoint of another run.`,
    { folder: root, damaged },
  );
}
