import { expect, test } from 'vitest';
import type { MetricPoint } from '../../../engine/api/training.ts';
import type { CheckpointEntry } from '../../../engine/checkpoint/index.ts';
import { planVerification } from '../../../engine/service/verifyPlan.ts';
import { comparePoints } from '../../../engine/service/verifyPoints.ts';

function entry(name: string, step: number, epoch: number, problem?: string): CheckpointEntry {
  const kind = name === 'best' ? 'best' : name.startsWith('epoch') ? 'epoch' : 'step';
  const path = `checkpoints/${name}`;
  const common = { folder: `/run/${path}`, path, kind, step, epoch, metrics: {}, time: 0, bytes: 0 } as const;
  return problem === undefined ? common : { ...common, problem };
}

// oldest first, as the listing gives them; ten steps an epoch
const run = [
  entry('step_5', 5, 0),
  entry('step_7', 7, 0, 'it has no manifest.json'),
  entry('epoch_1', 10, 1),
  entry('best', 20, 2),
  entry('step_20', 20, 1),
  entry('epoch_2', 20, 2),
];
const [first, , middle, , , last] = run as [
  CheckpointEntry,
  unknown,
  CheckpointEntry,
  unknown,
  unknown,
  CheckpointEntry,
];

test.each([
  {
    id: 'towards the next one',
    checkpoint: first,
    steps: undefined,
    from: 'step_5',
    until: [10, 1],
    against: 'epoch_1',
  },
  {
    id: 'the last one, from the one before',
    checkpoint: last,
    steps: undefined,
    from: 'epoch_1',
    until: [20, 2],
    against: 'epoch_2',
  },
  {
    id: 'so many steps, up to a checkpoint',
    checkpoint: first,
    steps: 5,
    from: 'step_5',
    until: [10, 1],
    against: 'epoch_1',
  },
  {
    id: 'so many steps, past a checkpoint',
    checkpoint: first,
    steps: 7,
    from: 'step_5',
    until: [12, 0],
    against: 'epoch_1',
  },
  {
    id: 'so many steps without one',
    checkpoint: middle,
    steps: 3,
    from: 'epoch_1',
    until: [13, 1],
    against: undefined,
  },
  { id: 'no more than there are', checkpoint: middle, steps: 300, from: 'epoch_1', until: [20, 2], against: 'epoch_2' },
])('which steps are done again: $id', ({ checkpoint, steps, from, until, against }) => {
  const plan = planVerification(checkpoint, run, steps, 20);
  expect(plan.from.path).toBe(`checkpoints/${from}`);
  expect([plan.until.step, plan.until.epoch]).toEqual(until);
  expect(plan.against?.path).toBe(against === undefined ? undefined : `checkpoints/${against}`);
});

test('a checkpoint alone goes on for a few steps', () => {
  expect(planVerification(first, [first], undefined, 20)).toMatchObject({
    evidence: 'record',
    until: { step: 15, epoch: 0 },
  });
  expect(planVerification(first, [first], undefined, 8)).toMatchObject({ until: { step: 8 } });
});

test('at the end there is nothing to do again', () => {
  expect(() => planVerification(last, run, 3, 20)).toThrow(/arrived at from the checkpoint before/);
  expect(() => planVerification(last, [last], undefined, 20)).toThrow(/save_last_k/);
});

test('logged values are compared by key and step, the first difference told', () => {
  const points = (values: Readonly<Record<string, number>>) =>
    new Map(
      Object.entries(values).map(([place, value]): [string, MetricPoint] => {
        const [step = '', key = ''] = place.split(' ');
        return [place, { key, step: Number(step), epoch: 0, time: 0, value }];
      }),
    );
  const recorded = points({ '10 train/loss': 0.5, '12 train/loss': Number.NaN, '14 train/loss': 0.25 });
  expect(comparePoints(recorded, points({ '12 train/loss': Number.NaN, '13 train/loss': 1 }))).toEqual({
    points: 1,
    difference: undefined,
  });
  expect(comparePoints(recorded, points({ '14 train/loss': 0.3, '10 train/loss': 0.51 }))).toEqual({
    points: 2,
    difference: { kind: 'metric', key: 'train/loss', step: 10, recorded: 0.5, replayed: 0.51, points: 2 },
  });
});
