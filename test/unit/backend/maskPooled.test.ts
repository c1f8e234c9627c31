import { describe, expect, test } from 'vitest';
import type { GraphNode } from '../../../engine/backend/graph/graphDef.ts';
import { maskPooled } from '../../../engine/backend/graph/maskPooled.ts';
import { inputsOf, node } from './graphNodes.ts';

/** relu, pool, and the way back, which runs the pooling again for its workspace. */
const layer = (of: string, slope: string, name = ''): readonly GraphNode[] => [
  node(`relu${name}`, 'Relu', [of]),
  node(`pool${name}`, '_MklNativeMaxPool', [`relu${name}:0`]),
  node(`again${name}`, '_MklNativeMaxPool', [`relu${name}:0`]),
  node(`back${name}`, '_MklNativeMaxPoolGrad', [`relu${name}:0`, `again${name}:0`, slope, `again${name}:1`]),
  node(`mask${name}`, 'ReluGrad', [`back${name}:0`, `relu${name}:0`]),
];
const trained = [...layer('x:0', 'slope:0'), node('gradient', 'Conv2DBackpropFilter', ['in:0', 'mask:0'])];

describe("ReLU's gradient after that of a maximum pooling", () => {
  test('comes before it', () => {
    expect(inputsOf(maskPooled(trained, new Set()))).toEqual({
      ...inputsOf(trained),
      mask: ['slope:0', 'again:0'],
      back: ['relu:0', 'again:0', 'mask:0', 'again:1'],
      gradient: ['in:0', 'back:0'],
    });
  });

  test('comes before it in layers that follow one another at once', () => {
    const deep = [
      ...layer('x:0', 'mask2:0', '1'),
      ...layer('pool1:0', 'slope:0', '2'),
      node('out', 'Sum', ['mask1:0']),
    ];
    expect(inputsOf(maskPooled(deep, new Set(['out'])))).toEqual({
      ...inputsOf(deep),
      mask2: ['slope:0', 'again2:0'],
      back2: ['relu2:0', 'again2:0', 'mask2:0', 'again2:1'],
      mask1: ['back2:0', 'again1:0'],
      back1: ['relu1:0', 'again1:0', 'mask1:0', 'again1:1'],
      out: ['back1:0'],
    });
  });

  test.each([
    { id: 'the gradient between them is read', nodes: [...trained, node('other', 'Identity', ['back:0'])] },
    { id: 'something waits for the gradient between them', nodes: [...trained, node('other', 'NoOp', ['^back'])] },
    { id: 'the pooling is of something else', nodes: swapped('again', ['x:0']) },
    { id: 'the mask is of something else', nodes: swapped('mask', ['back:0', 'other:0']) },
  ])('stays where $id', ({ nodes }) => {
    expect(inputsOf(maskPooled(nodes, new Set()))).toEqual(inputsOf(nodes));
  });

  test.each(['back', 'mask'])('stays where callers fetch %s', (fetched) => {
    expect(inputsOf(maskPooled(trained, new Set([fetched])))).toEqual(inputsOf(trained));
  });
});

function swapped(name: string, inputs: string[]): readonly GraphNode[] {
  return trained.map((one) => (one.name === name ? { ...one, inputs } : one));
}
