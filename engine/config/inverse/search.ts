import type { Composition } from '../compose/compose.ts';
import type { ConfigGroup } from '../compose/groups.ts';
import { fullKeyOf } from '../container/fullKey.ts';
import { leavesOf } from '../explain/explain.ts';
import type { ConfigNode, DictNode } from '../node/node.ts';
import { sameConfig } from './equality.ts';
import { leafEdits } from './leafEdits.ts';
import { neighbours, type Selection, selectionKey } from './selection.ts';

/** A selection of options and the values that remain to be set. */
export interface Candidate {
  readonly selection: Selection;
  readonly composition: Composition;
  readonly edits: readonly string[];
  /** Options chosen and values spelled out; what cannot be expressed weighs more than anything that can. */
  readonly cost: number;
  /** Paths at which the composition is not the edited config yet. */
  readonly differing: ReadonlySet<string>;
}

export interface SearchedFor {
  readonly edited: DictNode;
  readonly groups: readonly ConfigGroup[];
  readonly compose: (overrides: readonly string[]) => Attempt;
}

/** What a list of overrides composes to; where it lacks a mandatory choice, which one; undefined where it cannot be had. */
export type Attempt =
  | { readonly composition: Composition }
  | { readonly mandatory: string; readonly options: readonly string[] }
  | undefined;

/**
 * Best first over selections of options, from those given; the cheapest candidate wins, at the same cost the one that
 * chooses more and sets less. A choice is followed only if it mends something, and only while it could still lead to a
 * list no longer than the best one known, so what is left out cannot be shorter but where two choices mend nothing
 * singly. Throws when no start composes.
 */
export function searchSelections(starts: readonly Selection[], goal: SearchedFor): Candidate {
  const seen = new Set<string>();
  const open: Candidate[] = [];
  let best: Candidate | undefined;
  const meet = (selection: Selection, parent: Candidate | undefined): void => {
    const name = selectionKey(selection);
    if (seen.has(name)) return;
    seen.add(name);
    const attempt = goal.compose([...selection.values()]);
    if (attempt === undefined) return;
    if ('mandatory' in attempt) {
      const { mandatory, options } = attempt;
      for (const option of options) meet(new Map([...selection, [mandatory, `${mandatory}=${option}`]]), parent);
      return;
    }
    const candidate = evaluate(selection, attempt.composition, goal.edited);
    if (parent !== undefined && !mends(candidate, parent)) return;
    open.push(candidate);
    if (best === undefined || compareCandidates(candidate, best) < 0) best = candidate;
  };
  for (const start of starts) meet(start, undefined);
  for (let next = takeBest(open); next !== undefined && best !== undefined; next = takeBest(open)) {
    if (next.edits.length === 0 || next.selection.size + 1 > best.cost) continue;
    for (const selection of neighbours(next.selection, next.composition, goal.groups)) meet(selection, next);
  }
  if (best === undefined) throw new Error('Internal error: the base composition cannot be composed again');
  return best;
}

function evaluate(selection: Selection, composition: Composition, edited: DictNode): Candidate {
  const { overrides, inexpressible, weight } = leafEdits(composition.config, edited);
  return {
    selection,
    composition,
    edits: overrides,
    cost: selection.size + weight + 1000 * inexpressible.length,
    differing: new Set(differingPaths(composition.config, edited)),
  };
}

/** Giving up a choice may mend nothing and still shorten the list. */
function mends(candidate: Candidate, parent: Candidate): boolean {
  if (candidate.cost < parent.cost) return true;
  for (const path of parent.differing) if (!candidate.differing.has(path)) return true;
  return false;
}

function takeBest(open: Candidate[]): Candidate | undefined {
  let place = 0;
  for (const [index, candidate] of open.entries()) {
    const best = open[place];
    if (best !== undefined && compareCandidates(candidate, best) < 0) place = index;
  }
  return open.splice(place, 1)[0];
}

/** Below zero when `a` is the better one. */
function compareCandidates(a: Candidate, b: Candidate): number {
  return a.cost - b.cost || b.selection.size - a.selection.size || a.edits.length - b.edits.length || textOrder(a, b);
}

function textOrder(a: Candidate, b: Candidate): number {
  const [left, right] = [selectionKey(a.selection), selectionKey(b.selection)];
  return left.length - right.length || (left < right ? -1 : 1);
}

/** Paths of leaves that one config has and the other has not, or has otherwise. */
export function differingPaths(a: DictNode, b: DictNode): readonly string[] {
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
