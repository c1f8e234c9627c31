import { describe, expect, test } from 'vitest';
import type { GraphNode } from '../../../engine/backend/graph/graphDef.ts';
import { mergePoolings } from '../../../engine/backend/graph/mergePoolings.ts';
import { rectifyPooled } from '../../../engine/backend/graph/rectifyPooled.ts';
import { inputsOf, node } from './graphNodes.ts';

/** relu, pool, what reads it, and the way back, whose mask is where it is as small as the pooled values. */
const trained: readonly GraphNode[] = [
  node('relu', 'Relu', ['conv:0']),
  node('pool', '_MklNativeMaxPool', ['relu:0']),
  node('next', 'MatMul', ['pool:0', 'weight:0']),
  node('mask', 'ReluGrad', ['slope:0', 'pool:0']),
  node('back', '_MklNativeMaxPoolGrad', ['relu:0', 'pool:0', 'mask:0', 'pool:1']),
  node('gradient', 'Conv2DBackpropFilter', ['in:0', 'back:0']),
];

describe('a ReLU in front of a maximum pooling', () => {
  test('comes after it', () => {
    expect(inputsOf(rectifyPooled(trained, new Set()))).toEqual({
      ...inputsOf(trained),
      pool: ['conv:0'],
      relu: ['pool:0'],
      next: ['relu:0', 'weight:0'],
      back: ['conv:0', 'pool:0', 'mask:0', 'pool:1'],
    });
  });

  test('comes after it in layers that follow one another at once', () => {
    const deep = [
      node('relu1', 'Relu', ['conv:0']),
      node('pool1', 'MaxPool', ['relu1:0']),
      node('relu2', 'Relu', ['pool1:0']),
      node('pool2', 'MaxPool', ['relu2:0']),
      node('out', 'Sum', ['pool2:0']),
    ];
    expect(inputsOf(rectifyPooled(deep, new Set(['out'])))).toEqual({
      relu1: ['pool1:0'],
      pool1: ['conv:0'],
      relu2: ['pool2:0'],
      pool2: ['relu1:0'],
      out: ['relu2:0'],
    });
  });

  test.each([
    { id: 'something else reads it', nodes: [...trained, node('other', 'Sum', ['relu:0'])] },
    { id: 'something waits for it', nodes: [...trained, node('other', 'NoOp', ['^relu'])] },
    { id: 'the gradient is not masked', nodes: swapped('back', ['relu:0', 'pool:0', 'slope:0', 'pool:1']) },
    { id: 'the gradient is of another pooling', nodes: swapped('back', ['relu:0', 'other:0', 'mask:0', 'pool:1']) },
    {
      id: 'two poolings of it are read',
      nodes: [...trained, node('wide', 'MaxPool', ['relu:0']), node('other', 'Sum', ['wide:0'])],
    },
  ])('stays where $id', ({ nodes }) => {
    expect(inputsOf(rectifyPooled(nodes, new Set()))).toEqual(inputsOf(nodes));
  });

  test.each(['relu', 'pool'])('stays where callers fetch %s', (fetched) => {
    expect(inputsOf(rectifyPooled(trained, new Set([fetched])))).toEqual(inputsOf(trained));
  });
});

describe('a pooling that is made twice', () => {
  const again = node('again', '_MklNativeMaxPool', ['relu:0']);
  const twice = [
    ...trained.filter(({ name }) => name !== 'back'),
    again,
    ...swapped('back', ['relu:0', 'again:0', 'mask:0', 'again:1']).slice(4),
  ];

  test('is made once', () => {
    expect(inputsOf(mergePoolings(twice, new Set()))).toEqual(inputsOf(trained));
  });

  test('is waited for where the other was', () => {
    const waiting = [...twice, node('other', 'NoOp', ['^again'])];
    expect(inputsOf(mergePoolings(waiting, new Set())).other).toEqual(['^pool']);
  });

  test.each([
    {
      id: 'it pools otherwise',
      nodes: twice.map((one) =>
        one === again ? { ...one, attributes: { ksize: { kind: 'int', value: 3 } } as const } : one,
      ),
      fetched: [],
    },
    {
      id: 'it is of something else',
      nodes: twice.map((one) => (one === again ? { ...one, inputs: ['other:0'] } : one)),
      fetched: [],
    },
    { id: 'callers fetch it', nodes: twice, fetched: ['again'] },
  ])('stays where $id', ({ nodes, fetched }) => {
    expect(inputsOf(mergePoolings(nodes, new Set(fetched)))).toEqual(inputsOf(nodes));
  });
});

function swapped(name: string, inputs: string[]): readonly GraphNode[] {
  return trained.map((one) => (one.name === name ? { ...one, inputs } : one));
}
