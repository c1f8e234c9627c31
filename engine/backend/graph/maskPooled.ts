import type { GraphNode } from './graphDef.ts';
import { readersOf } from './graphReaders.ts';

export const maxPools: ReadonlySet<string> = new Set(['MaxPool', '_MklNativeMaxPool', 'AccelHydraMaxPool']);
/** Inputs: what was pooled, what came of it, the gradient of that. */
export const maxPoolGradients: ReadonlySet<string> = new Set([
  'MaxPoolGrad',
  '_MklNativeMaxPoolGrad',
  'AccelHydraMaxPoolGrad',
]);

/**
 * Where a maximum pooling follows a ReLU, the gradient goes through the ReLU first, while it still is as small as the pooled
 * values: a quarter for windows of 2 × 2. The numbers are the same to the last digit: a gradient lands on the largest value of
 * its window, and where the ReLU let none through, that is zero, and so is the pooled value. `kept` names the nodes whose
 * output callers fetch, which keep their values.
 */
export function maskPooled(nodes: readonly GraphNode[], kept: ReadonlySet<string>): readonly GraphNode[] {
  const byTensor = new Map(nodes.map((node) => [`${node.name}:0`, node]));
  const readers = readersOf(nodes);
  const changed = new Map<string, readonly string[]>();
  const moved = new Map<string, string>();
  for (const mask of nodes) {
    const [slope = '', rectified = ''] = mask.inputs;
    const unpooled = byTensor.get(slope);
    if (mask.op !== 'ReluGrad' || unpooled === undefined || !maxPoolGradients.has(unpooled.op)) continue;
    const [source, pooled = '', before = '', ...rest] = unpooled.inputs;
    const pool = byTensor.get(pooled);
    const isOfRelu =
      byTensor.get(rectified)?.op === 'Relu' &&
      source === rectified &&
      pool !== undefined &&
      maxPools.has(pool.op) &&
      pool.inputs[0] === rectified;
    if (!isOfRelu || readers.get(unpooled.name)?.length !== 1 || kept.has(unpooled.name) || kept.has(mask.name))
      continue;
    changed.set(mask.name, [before, pooled]);
    changed.set(unpooled.name, [rectified, pooled, `${mask.name}:0`, ...rest]);
    moved.set(`${mask.name}:0`, `${unpooled.name}:0`);
  }
  return nodes.map((node) => {
    const own = changed.get(node.name);
    const isUnpooled = own !== undefined && node.op !== 'ReluGrad';
    const follow = (input: string, slot: number) => (isUnpooled && slot === 2 ? input : (moved.get(input) ?? input));
    return { ...node, inputs: (own ?? node.inputs).map(follow) };
  });
}
