import { type Composition, compose } from '../compose/compose.ts';
import { listGroups } from '../compose/groups.ts';
import { ConfigError } from '../errors.ts';
import { isHydraOverride } from '../grammar/types.ts';
import type { DictNode } from '../node/node.ts';
import { sameConfig } from './equality.ts';
import { type Attempt, differingPaths, searchSelections } from './search.ts';
import { selectionOf } from './selection.ts';

export interface MinimalOverridesOptions {
  /** How many compositions the search for options may cost. 3000 unless told otherwise. */
  readonly maximumCompositions?: number;
}

export interface MinimalOverrides {
  /** For the same request without any overrides; options come before values. Hydra's own overrides are kept as they were. */
  readonly overrides: readonly string[];
  /** True when composing with them gives the edited config, key order aside. */
  readonly exact: boolean;
  /** Paths that differ when it is not exact. */
  readonly differences: readonly string[];
  /** How many compositions it took. */
  readonly compositions: number;
  /** True when the search ended because nothing shorter was left to try, not because it had cost enough. */
  readonly exhaustive: boolean;
}

/**
 * The shortest list of overrides that turns a request's config into an edited one. Its length is counted in options
 * chosen, values given and keys deleted, so that a mapping written into one override is no shorter than its values
 * singly; of lists of the same length the one that chooses more options and sets fewer values wins. Checked by composing
 * again. `edited` is an unresolved config like `composition.config`.
 */
export function minimalOverrides(
  composition: Composition,
  edited: DictNode,
  { maximumCompositions = 3000 }: MinimalOverridesOptions = {},
): MinimalOverrides {
  const { request } = composition;
  const kept = composition.overrides.filter(isHydraOverride).map((override) => override.text);
  let compositions = 0;
  let exhaustive = true;
  const composeAgain = (overrides: readonly string[]): Attempt => {
    compositions++;
    try {
      return { composition: compose({ ...request, overrides: [...kept, ...overrides] }) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { mandatory, options } = error.details as { mandatory?: string; options?: readonly string[] };
      // What else is wrong with a selection that cannot be composed does not matter here: it is no candidate.
      return mandatory === undefined ? undefined : { mandatory, options: options ?? [] };
    }
  };
  const best = searchSelections([new Map(), selectionOf(composition)], {
    edited,
    groups: listGroups({ ...request, overrides: [] }),
    compose: (overrides) => {
      if (compositions < maximumCompositions) return composeAgain(overrides);
      exhaustive = false;
      return undefined;
    },
  });
  const overrides = withoutNeedless([...best.selection.values(), ...best.edits], edited, composeAgain);
  const again = configOf(composeAgain(overrides));
  const differences = again === undefined ? overrides : differingPaths(again, edited);
  return { overrides: [...kept, ...overrides], exact: differences.length === 0, differences, compositions, exhaustive };
}

/** Leaves out what the config is the same without. */
function withoutNeedless(
  overrides: readonly string[],
  edited: DictNode,
  composeAgain: (overrides: readonly string[]) => Attempt,
): readonly string[] {
  let needed = overrides;
  for (const override of overrides.toReversed()) {
    const fewer = needed.filter((other) => other !== override);
    const composed = configOf(composeAgain(fewer));
    if (composed !== undefined && sameConfig(composed, edited)) needed = fewer;
  }
  return needed;
}

function configOf(attempt: Attempt): DictNode | undefined {
  return attempt !== undefined && 'composition' in attempt ? attempt.composition.config : undefined;
}
