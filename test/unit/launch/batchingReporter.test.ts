import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { MetricPoint, Progress, WorkerReport } from '../../../engine/api/training.ts';
import { BatchingReporter } from '../../../engine/launch/batchingReporter.ts';

const point: MetricPoint = { key: 'a', step: 1, epoch: 0, time: 0, value: 1 };
const progress: Progress = {
  phase: 'training',
  epoch: 0,
  epochs: 1,
  step: 0,
  totalSteps: 1,
  epochStep: 0,
  epochLength: 1,
  samplesPerSecond: 0,
};

function recording(options: { readonly flushEveryMs?: number; readonly flushAtPoints?: number } = {}) {
  const sent: WorkerReport[][] = [];
  const send = async (reports: readonly WorkerReport[]) => {
    await sleep(1);
    sent.push([...reports]);
  };
  return { sent, reporter: new BatchingReporter({ send, ...options }) };
}

test('points wait for each other, and go in one message', async () => {
  const { sent, reporter } = recording();
  reporter.report({ type: 'metrics', points: [point] });
  reporter.report({ type: 'metrics', points: [point, point] });
  expect(sent).toEqual([]);
  await reporter.flush();
  expect(sent).toEqual([[{ type: 'metrics', points: [point, point, point] }]]);
});

test('many points do not wait', async () => {
  const { sent, reporter } = recording({ flushEveryMs: 60_000, flushAtPoints: 3 });
  for (let i = 0; i < 7; i++) reporter.report({ type: 'metrics', points: [point] });
  await expect.poll(() => sent).toHaveLength(2);
  await reporter.dispose();
  expect(sent).toHaveLength(3);
});

test('time sends what waits, once', async () => {
  const { sent, reporter } = recording({ flushEveryMs: 20 });
  reporter.report({ type: 'metrics', points: [point] });
  await expect.poll(() => sent).toHaveLength(1);
  await reporter.dispose();
  expect(sent).toHaveLength(1);
});

test('the first progress goes alone, later ones replace each other', async () => {
  const { sent, reporter } = recording();
  for (let step = 0; step < 5; step++) reporter.report({ type: 'progress', progress: { ...progress, step } });
  await reporter.flush();
  expect(
    sent.map((reports) => reports.map((report) => (report.type === 'progress' ? report.progress.step : -1))),
  ).toEqual([[0], [4]]);
});

test('what is rare goes at once, after the points that came before it', async () => {
  const { sent, reporter } = recording();
  reporter.report({ type: 'metrics', points: [point] });
  reporter.report({ type: 'checkpoint-pruned', path: 'checkpoints/epoch_1' });
  await expect
    .poll(() => sent)
    .toEqual([
      [
        { type: 'metrics', points: [point] },
        { type: 'checkpoint-pruned', path: 'checkpoints/epoch_1' },
      ],
    ]);
});
