import type { GraphNode } from '../../../engine/backend/graph/graphDef.ts';

/** A node without attributes. */
export function node(name: string, op: string, inputs: string[]): GraphNode {
  return { name, op, inputs, attributes: {} };
}

/** What each node reads, by name. */
export function inputsOf(nodes: readonly GraphNode[]): Record<string, readonly string[]> {
  return Object.fromEntries(nodes.map(({ name, inputs }) => [name, inputs]));
}
