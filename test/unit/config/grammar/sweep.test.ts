import { describe, expect, test } from 'vitest';
import { batchJobs, expandSweep } from '../../../../engine/config/grammar/sweep.ts';

const groups: Readonly<Record<string, readonly string[]>> = { model: ['vit_s', 'mlp', 'resnet18', 'vit_b'] };
const groupOptions = (group: string) => groups[group] ?? [];

describe('expandSweep', () => {
  test.each([
    { id: 'nothing to sweep', overrides: ['a=1'], jobs: [['a=1']] },
    { id: 'no overrides', overrides: [], jobs: [[]] },
    {
      id: 'a product, the last fastest',
      overrides: ['a=1,2', 'b=range(2)'],
      jobs: [
        ['a=1', 'b=0'],
        ['a=1', 'b=1'],
        ['a=2', 'b=0'],
        ['a=2', 'b=1'],
      ],
    },
    { id: 'a key given twice', overrides: ['a=1,2', 'b=x', 'a=3'], jobs: [['a=3', 'b=x']] },
    { id: 'escaping again', overrides: ['a=${x}'], jobs: [['a=$\\{x\\}']] },
    { id: 'an empty range', overrides: ['a=range(0)', 'b=1,2'], jobs: [] },
    { id: 'decimal steps', overrides: ['a=range(0,0.3,0.1)'], jobs: [['a=0.0'], ['a=0.1'], ['a=0.2']] },
    {
      id: 'a sorted float range',
      overrides: ['a=sort(range(1,0,-0.3))'],
      jobs: [['a=0.1'], ['a=0.4'], ['a=0.7'], ['a=1.0']],
    },
    { id: 'a glob', overrides: ['model=glob(vit*,exclude=*_b)'], jobs: [['model=vit_s']] },
    { id: 'a glob class', overrides: ["model=glob('[!v]*')"], jobs: [['model=mlp'], ['model=resnet18']] },
  ])('enumerates $id', ({ overrides, jobs }) => {
    expect(expandSweep(overrides, { groupOptions })).toEqual(jobs);
  });

  test.each([
    { id: 'an interval', overrides: ['a=interval(0,1)'], message: 'does not support sweep type : INTERVAL_SWEEP' },
    { id: 'an endless range', overrides: ['a=range(inf)'], message: 'more than the 100000' },
    { id: 'a huge product', overrides: ['a=range(1000)', 'b=range(1000)'], message: '1000000 jobs' },
    { id: 'a step of zero', overrides: ['a=range(0,1,0.0)'], message: 'Invalid range values' },
    {
      id: 'an override that cannot be read',
      overrides: ['x=1', 'a b'],
      message: "index: 1, string: a b out of ['x=1', 'a b']",
    },
  ])('refuses $id', ({ overrides, message }) => {
    expect(() => expandSweep(overrides, { groupOptions })).toThrow(message);
  });

  test('a shuffled sweep has the same values in the order that chance gives', () => {
    const order = expandSweep(['a=shuffle(range(5))'], { random: () => 0 }).map(([job]) => job);
    expect(order).not.toEqual(['a=0', 'a=1', 'a=2', 'a=3', 'a=4']);
    expect(order.toSorted()).toEqual(['a=0', 'a=1', 'a=2', 'a=3', 'a=4']);
  });
});

test('batchJobs cuts in order', () => {
  expect(batchJobs([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(batchJobs([1, 2], undefined)).toEqual([[1, 2]]);
  expect(() => batchJobs([1], 0)).toThrow('max_batch_size');
});
