import { describe, expect, test } from 'vitest';
import { bestOf, differingSettings, finalMetrics } from '../../../renderer/features/run/compare/comparison.ts';
import { distinctNames } from '../../../renderer/lib/distinctNames.ts';

const configs = (...all: Record<string, unknown>[]) => all.map((hyperparameters) => ({ hyperparameters }));

describe('the settings in which runs differ', () => {
  test.each([
    { id: 'equal configs have none', runs: configs({ lr: 0.1, betas: [1, 2] }, { betas: [1, 2], lr: 0.1 }), rows: [] },
    {
      id: 'lists, types and absent keys count; names are in order',
      runs: configs({ lr: 0.1, betas: [1, 2], seed: null }, { lr: '0.1', betas: [1, 3] }, { lr: 0.1, betas: [1, 2] }),
      rows: [
        {
          key: 'betas',
          values: [
            [1, 2],
            [1, 3],
            [1, 2],
          ],
        },
        { key: 'lr', values: [0.1, '0.1', 0.1] },
        { key: 'seed', values: [null, undefined, undefined] },
      ],
    },
    {
      id: 'a run whose config was never recorded makes nothing differ',
      runs: configs({ lr: 0.1, seed: 1 }, {}, { lr: 0.2, seed: 1 }),
      rows: [{ key: 'lr', values: [0.1, undefined, 0.2] }],
    },
    {
      id: 'folders that lie within the run are not told beside it; others are',
      runs: configs(
        { exp_dir: 'runs/a', logs: 'runs/a/logs', project_dir: 'runs/a', data: 'runs/ab', cache: 'runs/a/x' },
        { exp_dir: 'runs/b', logs: 'runs/b/logs', project_dir: 'runs/b', data: 'runs/bb', cache: 'runs/b/y' },
      ),
      rows: [
        { key: 'cache', values: ['runs/a/x', 'runs/b/y'] },
        { key: 'data', values: ['runs/ab', 'runs/bb'] },
        { key: 'exp_dir', values: ['runs/a', 'runs/b'] },
      ],
    },
  ])('$id', ({ runs, rows }) => {
    expect(differingSettings(runs)).toEqual(rows);
  });
});

test('runs of one name are told apart by their folders, or by their ids where those are alike too', () => {
  const runs = [
    { id: 'a', name: 'mnist', expDir: '/experiments/mnist' },
    { id: 'b', name: 'mnist', expDir: '/experiments/mnist-2/' },
    { id: 'c', name: 'wide', expDir: '/one/wide' },
    { id: 'd', name: 'deep', expDir: 'C:\\one\\deep' },
    { id: 'e', name: 'deep', expDir: 'C:\\two\\deep' },
  ];
  expect(distinctNames(runs)).toEqual(['mnist · mnist', 'mnist · mnist-2', 'wide', 'deep · d', 'deep · e']);
});

const metric = (key: string, lastValue: number) => ({ key, lastValue, points: 1, lastStep: 1 });

test('every metric of any run has a row, with a gap where a run has none', () => {
  const runs = [{ metrics: [metric('val/loss', 2), metric('train/loss', 1)] }, { metrics: [metric('val/loss', 3)] }];
  expect(finalMetrics(runs)).toEqual([
    { key: 'train/loss', values: [1, undefined] },
    { key: 'val/loss', values: [2, 3] },
  ]);
});

describe('which run is best', () => {
  const line = (id: string, key: string | undefined, mode: 'min' | 'max', minimum?: number, maximum?: number) => ({
    run: { id, monitor: key === undefined ? undefined : { key, mode } },
    metric: { minimum, maximum },
  });
  test.each([
    { id: 'lowest', lines: [line('a', 'loss', 'min', 2, 9), line('b', undefined, 'min', 1, 8)], best: ['min', 'b'] },
    { id: 'highest', lines: [line('a', 'loss', 'max', 2, 9), line('b', 'loss', 'max', 1, 8)], best: ['max', 'a'] },
    { id: 'not monitored', lines: [line('a', 'other', 'min', 2, 9)], best: [undefined, undefined] },
    { id: 'opposite ways', lines: [line('a', 'loss', 'min', 1, 2), line('b', 'loss', 'max', 1, 2)], best: [] },
    { id: 'never finite', lines: [line('a', 'loss', 'min')], best: ['min', undefined] },
  ])('$id', ({ lines, best }) => {
    const { mode, leader } = bestOf('loss', lines);
    expect([mode, leader]).toEqual([best[0], best[1]]);
  });
});
