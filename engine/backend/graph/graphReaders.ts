import type { GraphNode } from './graphDef.ts';

/** The node that an input names: `conv:0`, or `^conv` for one that is only waited for. */
export function nodeOf(input: string): string {
  return input.replace(/^\^/, '').replace(/:\d+$/, '');
}

/** By node those that read it or wait for it, once for each input that does. */
export function readersOf(nodes: readonly GraphNode[]): ReadonlyMap<string, readonly GraphNode[]> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes)
    for (const input of node.inputs) {
      const known = readers.get(nodeOf(input));
      if (known === undefined) readers.set(nodeOf(input), [node]);
      else known.push(node);
    }
  return readers;
}
