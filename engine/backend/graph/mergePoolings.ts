import { isDeepStrictEqual } from 'node:util';
import type { GraphNode } from './graphDef.ts';
import { nodeOf } from './graphReaders.ts';
import { maxPools } from './maskPooled.ts';

/**
 * Makes one of poolings that are the same. The backward pass runs a pooling again for its workspace, and grappler leaves
 * both. `kept` names the nodes whose output callers fetch, which stay.
 */
export function mergePoolings(nodes: readonly GraphNode[], kept: ReadonlySet<string>): readonly GraphNode[] {
  const firsts: GraphNode[] = [];
  const merged = new Map<string, string>();
  for (const node of nodes) {
    if (!maxPools.has(node.op)) continue;
    const { op, inputs, attributes } = node;
    const same = firsts.find((first) =>
      isDeepStrictEqual([first.op, first.inputs, first.attributes], [op, inputs, attributes]),
    );
    if (same === undefined || kept.has(node.name)) firsts.push(node);
    else merged.set(node.name, same.name);
  }
  if (merged.size === 0) return nodes;
  const follow = (input: string): string => {
    const name = merged.get(nodeOf(input));
    return name === undefined ? input : input.replace(nodeOf(input), name);
  };
  return nodes.flatMap((node) => (merged.has(node.name) ? [] : [{ ...node, inputs: node.inputs.map(follow) }]));
}
