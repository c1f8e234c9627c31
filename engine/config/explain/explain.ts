import { didYouMean } from '../../base/nearest.ts';
import type { Composition } from '../compose/compose.ts';
import type { InclusionStep } from '../compose/compositionError.ts';
import { fullKeyOf, keyText } from '../container/fullKey.ts';
import { splitKeyPath } from '../container/keyPath.ts';
import { ConfigError } from '../errors.ts';
import { printText } from '../grammar/printer.ts';
import { pythonFloat } from '../grammar/pythonText.ts';
import type { ConfigNode, ContainerNode, DictNode } from '../node/node.ts';
import { describeOrigin, type Origin } from '../node/origin.ts';
import { interpolationTrail, type TrailStep, walk } from './trail.ts';

/** A value that was given for a path, and who gave it. */
export interface GivenValue {
  /** The value in short: a scalar as an override would write it, containers by their size. */
  readonly text: string;
  readonly origin: Origin | undefined;
  /** `conf/db.yaml:3:5`, `override 1 (db.port=5)`. */
  readonly where: string;
  /** For a value from a file: how that file came to take part, from the primary config on. */
  readonly included: readonly InclusionStep[];
}

export interface Explanation {
  readonly path: string;
  readonly winner: GivenValue;
  /** What the winner beat, the most recent first. */
  readonly beaten: readonly GivenValue[];
  /** For an interpolation: where its values come from, depth first. */
  readonly trail: readonly TrailStep[];
}

/**
 * Who set the value at a path (`model.depth`, `callbacks.0.name`) and what that beat. Throws a ConfigKeyError with what
 * was probably meant when there is no such path.
 */
export function explain(composition: Composition, path: string): Explanation {
  const root = path === 'hydra' || path.startsWith('hydra.') ? composition.withHydra : composition.config;
  const followed: ConfigNode[] = [];
  const node = walk(root, splitKeyPath(path), composition.context, (through) => followed.push(through));
  if (node === undefined) throw unknownPath(root, path, composition);
  const own = interpolationTrail(node, composition.context);
  return {
    path,
    winner: given(node, composition),
    beaten: losersOf(node).map((loser) => given(loser, composition)),
    trail: [...followed.flatMap((through) => interpolationTrail(through, composition.context)), ...own],
  };
}

/**
 * The explanations of all leaves, in the config's order; empty containers are leaves. Each is worked out when it is read,
 * so that having them beside every composition costs little: a page shows one of a thousand.
 */
export function explainAll(composition: Composition): ReadonlyMap<string, Explanation> {
  const all = new Map<string, Explanation>();
  for (const leaf of leavesOf(composition.config)) {
    const explanation = new LeafExplanation(leaf, composition);
    all.set(explanation.path, explanation);
  }
  return all;
}

class LeafExplanation implements Explanation {
  readonly path: string;
  readonly #node: ConfigNode;
  readonly #composition: Composition;
  #winner: GivenValue | undefined;
  #beaten: readonly GivenValue[] | undefined;
  #trail: readonly TrailStep[] | undefined;

  constructor(node: ConfigNode, composition: Composition) {
    this.path = fullKeyOf(node);
    this.#node = node;
    this.#composition = composition;
  }

  get winner(): GivenValue {
    this.#winner ??= given(this.#node, this.#composition);
    return this.#winner;
  }

  get beaten(): readonly GivenValue[] {
    this.#beaten ??= losersOf(this.#node).map((loser) => given(loser, this.#composition));
    return this.#beaten;
  }

  get trail(): readonly TrailStep[] {
    this.#trail ??= interpolationTrail(this.#node, this.#composition.context);
    return this.#trail;
  }

  toJSON(): object {
    const { path, winner, beaten } = this;
    return { path, winner, beaten, trail: this.trail.map(({ node: _node, ...step }) => step) };
  }
}

/** Every scalar and every empty container below a container. */
export function* leavesOf(container: ContainerNode): Generator<ConfigNode> {
  for (const child of container.kind === 'dict' ? container.values() : container.items) {
    if (child.kind === 'scalar' || child.size === 0) yield child;
    else yield* leavesOf(child);
  }
}

/** What stood at the node's place before: beaten by itself, or by a container around it that replaced another whole. */
export function losersOf(node: ConfigNode): readonly ConfigNode[] {
  const losers: ConfigNode[] = [];
  const below: (string | number)[] = [];
  for (let place: ConfigNode | undefined = node; place !== undefined; place = place.parent) {
    for (let beat = place.beat; beat !== undefined; beat = beat.beat) {
      const loser = descend(beat, below);
      if (loser !== undefined) losers.push(loser);
    }
    if (place.parent === undefined || place.key === undefined) break;
    below.unshift(place.parent.kind === 'list' ? Number(place.key) : keyText(place.key));
  }
  return losers;
}

function descend(node: ConfigNode, parts: readonly (string | number)[]): ConfigNode | undefined {
  let current: ConfigNode | undefined = node;
  for (const part of parts) {
    if (current?.kind === 'dict') current = current.get(part);
    else current = current?.kind === 'list' && typeof part === 'number' ? current.get(part) : undefined;
  }
  return current;
}

function given(node: ConfigNode, composition: Composition): GivenValue {
  const { origin } = node;
  return {
    text: shortText(node),
    origin,
    where: origin === undefined ? 'the composer' : describeOrigin(origin),
    included: origin?.kind === 'file' ? inclusionOf(origin.source, composition) : [],
  };
}

// By the file's name for people; worked out on the first question about a composition.
const inclusions = new WeakMap<Composition, Map<string, readonly InclusionStep[]>>();

function inclusionOf(source: string, composition: Composition): readonly InclusionStep[] {
  let bySource = inclusions.get(composition);
  if (bySource === undefined) {
    bySource = new Map();
    for (const item of composition.defaults.toReversed()) {
      const loaded = composition.prepared.repository.load(item.configPath);
      if (loaded !== undefined) bySource.set(loaded.display, item.chain);
    }
    inclusions.set(composition, bySource);
  }
  return bySource.get(source) ?? [];
}

/** A scalar as an override would write it; a container by what it holds. */
export function shortText(node: ConfigNode): string {
  if (node.kind === 'dict') return node.size === 0 ? '{}' : `{…} (${node.size} keys)`;
  if (node.kind === 'list') {
    if (node.items.every((item) => item.kind === 'scalar') && node.size <= 8) {
      return `[${node.items.map(shortText).join(', ')}]`;
    }
    return `[…] (${node.size} items)`;
  }
  const { value } = node;
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  // An interpolation is shown as the files have it: overrides would escape its braces.
  if (typeof value === 'string') return node.isInterpolation ? value : printText(value);
  return node.type === 'float' ? pythonFloat(Number(value)) : String(value);
}

function unknownPath(root: DictNode, path: string, { context }: Composition): ConfigError {
  const parts = splitKeyPath(path);
  let known = 0;
  let container: ConfigNode | undefined = root;
  while (known < parts.length) {
    const next = walk(root, parts.slice(0, known + 1), context);
    if (next === undefined) break;
    container = next;
    known++;
  }
  const before = parts.slice(0, known).join('.');
  const siblings =
    container?.kind === 'dict'
      ? [...container.keys()].map((key) => [...parts.slice(0, known), keyText(key)].join('.'))
      : [];
  const hint = didYouMean(parts.slice(0, known + 1).join('.'), siblings);
  const where = before === '' ? 'the config' : `'${before}'`;
  return new ConfigError('ConfigKeyError', `There is no '${path}': ${where} has no key '${parts[known]}'.${hint}`, {
    fullKey: path,
    details: { path, nearest: hint.trim() },
  });
}

/** The explanation as lines for a terminal. */
export function describeExplanation({ path, winner, beaten, trail }: Explanation): string {
  const lines = [`${path} = ${winner.text}`, `  set in  ${winner.where}`];
  for (const step of winner.included.toReversed()) {
    if (step.origin !== undefined)
      lines.push(`          included as '${step.config}' by ${describeOrigin(step.origin)}`);
  }
  for (const loser of beaten) lines.push(`  beat    ${loser.text}  from ${loser.where}`);
  for (const step of trail) {
    const target = step.path === undefined ? '' : ` → ${step.path}`;
    const value = step.node === undefined ? '' : ` = ${shortText(step.node)}`;
    const where = step.origin === undefined ? '' : `  (${describeOrigin(step.origin)})`;
    lines.push(`${'  '.repeat(step.depth)}${step.text}${target}${value}${where}`);
  }
  return `${lines.join('\n')}\n`;
}
