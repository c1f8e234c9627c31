import { expect, test } from 'vitest';
import { taskOverrides } from '../../../engine/api/runModel.ts';

test('what a sweep sets of Hydra for each job is not what tells its runs apart', () => {
  const overrides = [
    'hydra.job.num=3',
    "++hydra.job.id='3'",
    'hydra/launcher=basic',
    'optimizer.lr=0.01',
    '+hydrants=2',
  ];
  expect(taskOverrides({ overrides })).toEqual(['optimizer.lr=0.01', '+hydrants=2']);
});
