import type { GraphNode } from './graphDef.ts';
import { readersOf } from './graphReaders.ts';
import { maxPoolGradients, maxPools } from './maskPooled.ts';

/**
 * Where nothing but maximum poolings reads a ReLU, it comes after the pooling, on a quarter of the numbers for windows of
 * 2 × 2: the largest of rectified numbers is the rectified largest. The gradient falls on the same place of each window;
 * in windows without a positive number it must be zero, which `maskPooled` sees to before. `kept` names the nodes whose output
 * callers fetch, which keep their values.
 */
export function rectifyPooled(nodes: readonly GraphNode[], kept: ReadonlySet<string>): readonly GraphNode[] {
  let result = nodes;
  for (const { name, op } of nodes) if (op === 'Relu') result = rectifiedLater(result, name, kept);
  return result;
}

function rectifiedLater(nodes: readonly GraphNode[], relu: string, kept: ReadonlySet<string>): readonly GraphNode[] {
  const readers = readersOf(nodes);
  const ofRelu = readers.get(relu) ?? [];
  const rectified = `${relu}:0`;
  const isOfIt = ({ inputs: [first, ...rest] }: GraphNode) => first === rectified && !rest.includes(rectified);
  const pools = ofRelu.filter((node) => maxPools.has(node.op) && isOfIt(node));
  const outputs = new Set(pools.map(({ name }) => `${name}:0`));
  const byTensor = new Map(nodes.map((node) => [`${node.name}:0`, node]));
  const isMasked = (slope: GraphNode | undefined) => slope?.op === 'ReluGrad' && outputs.has(slope.inputs[1] ?? '');
  const isGradient = (node: GraphNode) => {
    const [, pooled = '', slope = ''] = node.inputs;
    return maxPoolGradients.has(node.op) && isOfIt(node) && outputs.has(pooled) && isMasked(byTensor.get(slope));
  };
  const isFetched = kept.has(relu) || pools.some(({ name }) => kept.has(name));
  if (isFetched || !ofRelu.every((node) => pools.includes(node) || isGradient(node))) return nodes;
  // where a gradient stands as an operand, or its sign alone counts, the number before the ReLU does as well
  const needsRectified = (node: GraphNode, slot: number) =>
    !(slot === 1 && (isGradient(node) || node.op === 'ReluGrad'));
  const readsRectified = (output: string) => (node: GraphNode) =>
    node.inputs.some((input, slot) => input === output && needsRectified(node, slot));
  const read = pools.filter(({ name }) => readers.get(name)?.some(readsRectified(`${name}:0`)));
  const [pool = pools[0]] = read;
  const [source] = nodes.find(({ name }) => name === relu)?.inputs ?? [];
  if (pool === undefined || source === undefined || read.length > 1) return nodes;
  const pooled = `${pool.name}:0`;
  return nodes.map((node) => {
    if (node.name === relu) return { ...node, inputs: [pooled] };
    const inputs = node.inputs.map((input, slot) => {
      if (input === rectified) return source;
      return input === pooled && needsRectified(node, slot) ? rectified : input;
    });
    return { ...node, inputs };
  });
}
