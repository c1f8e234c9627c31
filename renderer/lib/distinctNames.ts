import type { RunSummary } from '../../engine/api/runModel.ts';

type NamedRun = Pick<RunSummary, 'id' | 'name' | 'expDir'>;

/** A name for each run that no other has: runs of one config share theirs, and then the folder, or else the id, is added. */
export function distinctNames(runs: readonly NamedRun[]): string[] {
  const named = counted(runs.map(({ name }) => name));
  const placed = counted(runs.map(withFolder));
  return runs.map((run) => {
    if (named.get(run.name) === 1) return run.name;
    return placed.get(withFolder(run)) === 1 ? withFolder(run) : `${run.name} · ${run.id}`;
  });
}

function withFolder({ name, expDir }: NamedRun): string {
  return `${name} · ${expDir.split(/[\\/]/).findLast((part) => part !== '')}`;
}

function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
