import { EngineError } from '../../api/errors.ts';
import type { ConfigNode, DictNode } from '../node/node.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { dereference } from '../resolve/operations.ts';
import type { Follow } from './checkValue.ts';

/** A mapping with a `_target_` and what it is called with. */
export interface TargetNode {
  readonly node: DictNode;
  /** The resolved text of `_target_`, and the node that holds it. */
  readonly target: string;
  readonly targetNode: ConfigNode;
  /** The items of `_args_`; undefined when they cannot be known. */
  readonly args: readonly ConfigNode[] | undefined;
  readonly isPartial: boolean;
}

/** Keys that say how to build an object, not what it gets. */
export const CONTROL_KEYS: ReadonlySet<string> = new Set([
  '_target_',
  '_args_',
  '_convert_',
  '_recursive_',
  '_partial_',
]);

/** Follows interpolations where that is possible without code of the project. */
export function followWith(context: ResolveContext): Follow {
  return (node) => {
    try {
      return dereference(node, context);
    } catch (error) {
      // A resolver of the project, or a value that somebody has yet to give.
      if (error instanceof EngineError) return undefined;
      throw error;
    }
  };
}

/** Every mapping with a `_target_` below the roots, also through interpolations, each once. */
export function* targetNodes(roots: Iterable<ConfigNode>, follow: Follow): Generator<TargetNode> {
  const seen = new Set<ConfigNode>();
  const waiting = [...roots].reverse();
  for (let given = waiting.pop(); given !== undefined; given = waiting.pop()) {
    const node = follow(given);
    if (node === undefined || node.kind === 'scalar' || seen.has(node)) continue;
    seen.add(node);
    if (node.kind === 'dict') {
      const found = asTarget(node, follow);
      if (found) yield found;
    }
    const children = node.kind === 'list' ? [...node.items] : [...node.values()];
    waiting.push(...children.reverse());
  }
}

function asTarget(node: DictNode, follow: Follow): TargetNode | undefined {
  const targetNode = node.get('_target_');
  const resolved = targetNode && follow(targetNode);
  if (targetNode === undefined || resolved?.kind !== 'scalar' || typeof resolved.value !== 'string') return undefined;
  const partial = node.get('_partial_');
  const flag = partial && follow(partial);
  return {
    node,
    target: resolved.value,
    targetNode,
    args: argumentsOf(node, follow),
    isPartial: flag?.kind === 'scalar' && flag.value === true,
  };
}

function argumentsOf(node: DictNode, follow: Follow): readonly ConfigNode[] | undefined {
  const given = node.get('_args_');
  if (given === undefined) return [];
  const list = follow(given);
  return list?.kind === 'list' ? [...list.items] : undefined;
}
