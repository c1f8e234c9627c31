import { fullKeyOf } from '../container/fullKey.ts';
import { splitKeyPath } from '../container/keyPath.ts';
import { ConfigError } from '../errors.ts';
import type { Expression, Interpolation, Sequence } from '../interpolation/ast.ts';
import { parseInterpolation } from '../interpolation/parser.ts';
import type { ConfigNode, ContainerNode } from '../node/node.ts';
import type { Origin } from '../node/origin.ts';
import { isPythonInteger } from '../python/number.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { Resolution, rootOf } from '../resolve/resolution.ts';
import { isContainer } from '../resolve/value.ts';

/** One step from an interpolation towards its roots, depth first. */
export interface TrailStep {
  /** How many interpolations lead here. */
  readonly depth: number;
  /** The interpolation as it is written: `${..lr}`, `${oc.env:HOME}`. */
  readonly text: string;
  /** The path that it means; `undefined` for a resolver and for what leads nowhere. */
  readonly path: string | undefined;
  readonly node: ConfigNode | undefined;
  readonly origin: Origin | undefined;
}

const LONGEST_TRAIL = 100;

/** Follows every interpolation in a node's text to where its values are written. Never throws for broken ones. */
export function interpolationTrail(node: ConfigNode, context: ResolveContext): readonly TrailStep[] {
  const steps: TrailStep[] = [];
  follow(node, 1, new Set(), steps, context);
  return steps;
}

function follow(
  node: ConfigNode,
  depth: number,
  above: ReadonlySet<ConfigNode>,
  steps: TrailStep[],
  context: ResolveContext,
): void {
  if (node.kind !== 'scalar' || typeof node.value !== 'string' || !node.isInterpolation) return;
  const { parent } = node;
  if (parent === undefined || above.has(node)) return;
  const expression = parsed(node.value, node.origin);
  if (expression === undefined) return;
  const ancestors = new Set([...above, node]);
  for (const interpolation of interpolationsOf(expression)) {
    if (steps.length >= LONGEST_TRAIL) return;
    const target = interpolation.type === 'node' ? targetOf(interpolation, parent, context) : undefined;
    steps.push({
      depth,
      text: interpolation.text,
      path: target === undefined ? undefined : fullKeyOf(target),
      node: target,
      origin: target?.origin,
    });
    if (target !== undefined) follow(target, depth + 1, ancestors, steps, context);
  }
}

function parsed(text: string, origin: Origin | undefined): Expression | undefined {
  try {
    return parseInterpolation(text, origin);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** The interpolations of an expression, those inside a resolver's arguments after it. */
function interpolationsOf(expression: Expression): readonly Interpolation[] {
  switch (expression.type) {
    case 'node':
      return [expression];
    case 'resolver':
      return [expression, ...sequence(expression.args)];
    case 'text':
      return expression.parts.flatMap((part) => (typeof part === 'string' ? [] : interpolationsOf(part)));
    case 'list':
      return sequence(expression.items);
    case 'dict':
      return expression.entries.flatMap(([, value]) => interpolationsOf(value));
    default:
      return [];
  }
}

function sequence(items: Sequence | undefined): readonly Interpolation[] {
  return items?.items.flatMap((item) => (item === undefined ? [] : interpolationsOf(item))) ?? [];
}

function targetOf(
  { pieces }: Extract<Interpolation, { type: 'node' }>,
  parent: ContainerNode,
  context: ResolveContext,
): ConfigNode | undefined {
  // A key that is itself made by an interpolation has no fixed target.
  if (pieces.some((piece) => typeof piece !== 'string')) return undefined;
  let key = pieces.join('');
  let start: ContainerNode | undefined = key.startsWith('.') ? parent : rootOf(parent);
  if (key.startsWith('.')) key = key.slice(1);
  while (key.startsWith('.')) {
    start = start?.parent;
    key = key.slice(1);
  }
  return start === undefined || key === '' ? start : walk(start, splitKeyPath(key), context);
}

/** The node at a path; interpolations to containers on the way are followed, the last one is not. */
export function walk(
  start: ContainerNode,
  parts: readonly string[],
  context: ResolveContext,
  onFollow?: (node: ConfigNode) => void,
): ConfigNode | undefined {
  let node: ConfigNode | undefined = start;
  for (const part of parts) {
    let container: ConfigNode | undefined = node;
    if (container?.isInterpolation) {
      onFollow?.(container);
      const behind = new Resolution(context).tryDereference(container);
      container = behind !== undefined && isContainer(behind) ? behind : undefined;
    }
    if (container === undefined || container.kind === 'scalar') return undefined;
    if (container.kind === 'dict') node = container.get(part);
    else node = isPythonInteger(part) ? container.get(Number(part)) : undefined;
  }
  return node;
}
