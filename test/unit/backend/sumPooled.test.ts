import { describe, expect, test } from 'vitest';
import type { GraphNode } from '../../../engine/backend/graph/graphDef.ts';
import { sumPooled } from '../../../engine/backend/graph/sumPooled.ts';
import { node } from './graphNodes.ts';

function axes(...values: number[]): GraphNode {
  const bytes = new Uint8Array(Int32Array.from(values).buffer);
  const value = { kind: 'tensor', tensor: { dtype: 3, shape: [values.length], bytes } } as const;
  return { ...node('axes', 'Const', []), attributes: { value } };
}

/** A pooling's gradient and what sums it; gives what the sum reads. */
function summedBy(sum: GraphNode, over: GraphNode, unpooling = '_MklNativeMaxPoolGrad'): readonly string[] | undefined {
  const back = node('back', unpooling, ['relu:0', 'pool:0', 'slope:0', 'pool:1']);
  return sumPooled([back, over, sum]).find(({ name }) => name === 'sum')?.inputs;
}

describe('the sum of a gradient that comes out of a maximum pooling', () => {
  const sum = node('sum', 'Sum', ['back:0', 'axes:0']);

  test.each(['_MklNativeMaxPoolGrad', 'MaxPoolGrad'])('is taken before %s', (unpooling) => {
    expect(summedBy(sum, axes(0, 1, 2), unpooling)).toEqual(['slope:0', 'axes:0']);
    expect(summedBy(node('sum', 'BiasAddGrad', ['back:0']), axes(), unpooling)).toEqual(['slope:0']);
  });

  test('stays where single places count, or a pooling has none of its own', () => {
    expect(summedBy(sum, axes(0, 1))).toEqual(['back:0', 'axes:0']);
    expect(summedBy(sum, axes(0, 1, 3))).toEqual(['back:0', 'axes:0']);
    expect(summedBy(sum, node('axes', 'Placeholder', []))).toEqual(['back:0', 'axes:0']);
    expect(summedBy(node('sum', 'Max', ['back:0', 'axes:0']), axes(0, 1, 2))).toEqual(['back:0', 'axes:0']);
    expect(summedBy(sum, axes(0, 1, 2), '_MklNativeAvgPoolGrad')).toEqual(['back:0', 'axes:0']);
  });
});
