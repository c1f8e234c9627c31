import type { GraphNode } from './graphDef.ts';
import { maxPoolGradients } from './maskPooled.ts';

/** What sums a gradient to one number per channel: all axes of [batch, height, width, channels] but the last. */
const allButChannels = [0, 1, 2];

/**
 * The gradient of a maximum pooling puts each number that it is given in one place and zeros everywhere else, so their sum
 * over all places is taken before, while there are fewer of them: a quarter for windows of 2 × 2. That is the gradient of
 * the bias in front of a pooling. The same numbers are added, in another order.
 */
export function sumPooled(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const byTensor = new Map(nodes.map((node) => [`${node.name}:0`, node]));
  return nodes.map((node) => {
    const [summed = '', axes = ''] = node.inputs;
    const unpooled = byTensor.get(summed);
    const slope = unpooled?.inputs[2];
    if (unpooled === undefined || slope === undefined || !maxPoolGradients.has(unpooled.op)) return node;
    const sumsChannels = node.op === 'BiasAddGrad' || (node.op === 'Sum' && isAllButChannels(byTensor.get(axes)));
    return sumsChannels ? { ...node, inputs: [slope, ...node.inputs.slice(1)] } : node;
  });
}

function isAllButChannels(axes: GraphNode | undefined): boolean {
  const { value } = axes?.attributes ?? {};
  if (value?.kind !== 'tensor') return false;
  const expected = new Uint8Array(Int32Array.from(allButChannels).buffer);
  return Buffer.compare(value.tensor.bytes, expected) === 0;
}
