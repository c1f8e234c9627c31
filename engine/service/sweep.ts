import { compose } from '../config/compose/compose.ts';
import { groupOptions } from '../config/compose/groups.ts';
import { expandSweep } from '../config/grammar/sweep.ts';
import { isHydraOverride, type Override } from '../config/grammar/types.ts';
import type { ConfigNode } from '../config/node/node.ts';
import { pythonStr } from '../config/python/repr.ts';
import { select } from '../config/resolve/operations.ts';
import { type CompositionRequest, type ConfigPlace, engineRequest, explained } from './composition.ts';

/** One run of a sweep. */
export interface SweepJob {
  /** What the sweeper chose, in its order: what a person tells the jobs apart by. */
  readonly overrides: readonly string[];
  /** The same with the overrides of Hydra's own node, which every job gets. */
  readonly all: readonly string[];
}

/**
 * The runs that `--multirun` asks for, as Hydra's BasicSweeper makes them: `hydra.sweeper.params` first, then the command
 * line, the last override varying fastest; a glob sees the options of its group. Throws `config.…` errors.
 */
export function sweepJobs(place: ConfigPlace, request: CompositionRequest): readonly SweepJob[] {
  return explained(() => {
    const engine = engineRequest(place, request);
    const { hydra, overrides, context } = compose({ ...engine, mode: 'multirun' });
    const own = overrides.filter((override) => !isHydraOverride(override));
    const forHydra = overrides.filter((override) => isHydraOverride(override)).map((override) => override.text);
    const params = sweeperParams(select(hydra, 'sweeper.params', context));
    const jobs = expandSweep([...params, ...own.map(textOf)], {
      groupOptions: (group) => groupOptions(engine, group).map((option) => option.name),
    });
    return jobs.map((job) => ({ overrides: job, all: [...forHydra, ...job] }));
  });
}

function textOf(override: Override): string {
  return override.text;
}

/** `params` of the sweeper: a mapping from override keys to sweeps, as texts. */
function sweeperParams(node: ConfigNode | undefined): string[] {
  if (node?.kind !== 'dict') return [];
  return [...node.entries()].map(([key, value]) => `${String(key)}=${pythonStr(value)}`);
}
