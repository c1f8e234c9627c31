import { type Composition, compose } from '../compose/compose.ts';
import { type ConfigGroup, listGroups } from '../compose/groups.ts';
import type { ComposeRequest } from '../compose/request.ts';
import { fullKeyOf } from '../container/fullKey.ts';
import { ConfigError } from '../errors.ts';
import { leavesOf } from '../explain/explain.ts';
import { isHydraOverride } from '../grammar/types.ts';
import type { ConfigNode, DictNode } from '../node/node.ts';
import { sameConfig } from './equality.ts';
import { leafEdits } from './leafEdits.ts';

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
}

/** Options chosen, by override key, as the override that chooses them: `model` → `model=vit`, `+experiment=big`, `~logger`. */
type Selection = ReadonlyMap<string, string>;

interface Candidate {
  readonly selection: Selection;
  readonly composition: Composition;
  readonly edits: readonly string[];
  /** Overrides in all; what cannot be expressed weighs more than anything that can. */
  readonly cost: number;
}

/** How many selections are followed at a time, and how many options may have to change together. */
const BEAM_WIDTH = 4;
const MAXIMUM_ROUNDS = 8;

/**
 * The shortest list of overrides that turns a request's config into an edited one: options are swapped where that
 * explains more than editing values, then values are set. Checked by composing again. `edited` is an unresolved config
 * like `composition.config`.
 */
export function minimalOverrides(
  composition: Composition,
  edited: DictNode,
  options: MinimalOverridesOptions = {},
): MinimalOverrides {
  const search = new Search(composition, edited, options.maximumCompositions ?? 3000);
  const best = search.run();
  return search.result(best);
}

class Search {
  readonly #request: ComposeRequest;
  readonly #edited: DictNode;
  readonly #limit: number;
  readonly #kept: readonly string[];
  readonly #base: Composition;
  readonly #groups: readonly ConfigGroup[];
  #compositions = 0;

  constructor(composition: Composition, edited: DictNode, limit: number) {
    this.#base = composition;
    this.#request = composition.request;
    this.#edited = edited;
    this.#limit = limit;
    this.#groups = listGroups({ ...this.#request, overrides: [] });
    this.#kept = composition.overrides.filter(isHydraOverride).map((override) => override.text);
  }

  run(): Candidate {
    const start = this.#evaluate(new Map());
    const current = this.#evaluate(selectionOf(this.#base));
    const starts = [start, current].filter((candidate) => candidate !== undefined);
    let beam = starts.toSorted(byCost);
    let best = beam[0];
    if (best === undefined) throw new Error('Internal error: the base composition cannot be composed again');
    const seen = new Set(beam.map(({ selection }) => selectionKey(selection)));
    for (let round = 0; round < MAXIMUM_ROUNDS && best.edits.length > 0; round++) {
      const next = beam.flatMap((candidate) => this.#neighbours(candidate, seen));
      if (next.length === 0) break;
      beam = [...beam, ...next].toSorted(byCost).slice(0, BEAM_WIDTH);
      const [first] = beam;
      if (first === undefined || first.cost >= best.cost) break;
      best = first;
    }
    return best;
  }

  #compose(overrides: readonly string[]): Composition | undefined {
    this.#compositions++;
    try {
      return compose({ ...this.#request, overrides: [...this.#kept, ...overrides] });
    } catch (error) {
      // A selection that cannot be composed is no candidate; what is wrong with it does not matter here.
      if (error instanceof ConfigError) return undefined;
      throw error;
    }
  }

  #evaluate(selection: Selection): Candidate | undefined {
    const composition = this.#compose([...selection.values()]);
    if (composition === undefined) return undefined;
    const { overrides, inexpressible } = leafEdits(composition.config, this.#edited);
    return {
      selection,
      composition,
      edits: overrides,
      cost: selection.size + overrides.length + 1000 * inexpressible.length,
    };
  }

  /** The selections one option away. */
  #neighbours(candidate: Candidate, seen: Set<string>): readonly Candidate[] {
    const found: Candidate[] = [];
    for (const [key, override] of this.#swaps(candidate)) {
      if (this.#compositions >= this.#limit) break;
      const selection = new Map(candidate.selection);
      if (override === undefined) selection.delete(key);
      else selection.set(key, override);
      const name = selectionKey(selection);
      if (seen.has(name)) continue;
      seen.add(name);
      const evaluated = this.#evaluate(selection);
      if (evaluated !== undefined) found.push(evaluated);
    }
    return found;
  }

  *#swaps({ composition, selection }: Candidate): Generator<readonly [string, string | undefined]> {
    for (const key of selection.keys()) yield [key, undefined];
    const optionsOf = new Map(this.#groups.map(({ name, options }) => [name, options]));
    const used = new Set<string>();
    for (const [key, current] of composition.choices) {
      if (key.startsWith('hydra/')) continue;
      const [group = ''] = key.split('@', 1);
      used.add(group);
      const prefix = selection.get(key)?.startsWith('+') === true ? '+' : '';
      for (const option of optionsOf.get(group) ?? []) {
        if (option !== current) yield [key, `${prefix}${key}=${option}`];
      }
      if (current !== null && prefix === '') yield [key, `~${key}`];
    }
    for (const { name, options } of this.#groups) {
      if (used.has(name)) continue;
      for (const option of options) yield [name, `+${name}=${option}`];
    }
  }

  /** Drops what turns out not to be needed, then checks by composing. */
  result(best: Candidate): MinimalOverrides {
    let overrides = [...best.selection.values(), ...best.edits];
    for (const override of overrides.toReversed()) {
      if (this.#compositions >= this.#limit) break;
      const fewer = overrides.filter((other) => other !== override);
      const composed = this.#compose(fewer);
      if (composed !== undefined && sameConfig(composed.config, this.#edited)) overrides = fewer;
    }
    const composed = this.#compose(overrides);
    const differences = composed === undefined ? overrides : differingPaths(composed.config, this.#edited);
    return {
      overrides: [...this.#kept, ...overrides],
      exact: differences.length === 0,
      differences,
      compositions: this.#compositions,
    };
  }
}

function byCost(a: Candidate, b: Candidate): number {
  return a.cost - b.cost || a.edits.length - b.edits.length;
}

function selectionKey(selection: Selection): string {
  return [...selection.values()].toSorted().join('\n');
}

/** The choices that the composition's own overrides made. */
function selectionOf({ overrides, choices, prepared }: Composition): Selection {
  const values = new Set(prepared.choices.valueOverrides);
  const selection = new Map<string, string>();
  for (const override of overrides) {
    if (values.has(override) || isHydraOverride(override)) continue;
    const key = override.package === undefined ? override.keyOrGroup : `${override.keyOrGroup}@${override.package}`;
    if (override.type === 'DEL' || choices.has(key) || override.value?.type === 'list')
      selection.set(key, override.text);
  }
  return selection;
}

/** Paths of leaves that one config has and the other has not, or has otherwise. */
function differingPaths(a: DictNode, b: DictNode): readonly string[] {
  if (sameConfig(a, b)) return [];
  const left = leafMap(a);
  const right = leafMap(b);
  const paths = new Set([...left.keys(), ...right.keys()]);
  return [...paths].filter((path) => {
    const [own, other] = [left.get(path), right.get(path)];
    return own === undefined || other === undefined || !sameConfig(own, other);
  });
}

function leafMap(config: DictNode): ReadonlyMap<string, ConfigNode> {
  return new Map([...leavesOf(config)].map((leaf) => [fullKeyOf(leaf), leaf]));
}
