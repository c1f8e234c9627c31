import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test, vi } from 'vitest';
import { MetricLog } from '../../../engine/trainer/logging/metricLog.ts';
import { ProgressMeter } from '../../../engine/trainer/logging/progressMeter.ts';
import { record } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const clock = () => {
  const state = { time: 0, now: () => state.time };
  return state;
};

test('tensors are read when points are sent, and freed', async () => {
  const recording = record();
  const log = new MetricLog({ reporter: recording.reporter, clock: clock(), isActive: true });
  const before = tf.memory().numTensors;
  const loss = tf.scalar(2.5);
  log.add('train/loss', loss, 3, 1);
  loss.dispose();
  expect(recording.reports).toEqual([]);
  await log.flush();
  expect(recording.reports).toEqual([
    { type: 'metrics', points: [{ key: 'train/loss', step: 3, epoch: 1, time: 0, value: 2.5 }] },
  ]);
  expect(tf.memory().numTensors).toBe(before);
});

test('of two values for one key at one step the last counts', async () => {
  const recording = record();
  const log = new MetricLog({ reporter: recording.reporter, clock: clock(), isActive: true });
  log.add('lr', 1, 0, 0);
  log.add('lr', 2, 0, 0);
  log.add('lr', 3, 1, 0);
  await log.flush();
  expect(recording.points('lr')).toEqual([
    { step: 0, value: 2 },
    { step: 1, value: 3 },
  ]);
});

test('points are sent by count or by time, whichever comes first, in order', async () => {
  vi.useFakeTimers();
  try {
    const recording = record();
    const log = new MetricLog({ reporter: recording.reporter, clock: clock(), isActive: true, flushAtPoints: 3 });
    for (let step = 0; step < 4; step++) log.add('x', step, step, 0);
    await vi.advanceTimersByTimeAsync(0);
    expect(recording.points('x')).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(100);
    expect(recording.points('x').map((point) => point.value)).toEqual([0, 1, 2, 3]);
  } finally {
    vi.useRealTimers();
  }
});

test('a rank that is not the first keeps nothing', async () => {
  const recording = record();
  const log = new MetricLog({ reporter: recording.reporter, clock: clock(), isActive: false });
  const before = tf.memory().numTensors;
  const value = tf.scalar(1);
  log.add('x', value, 0, 0);
  value.dispose();
  await log.flush();
  expect(recording.reports).toEqual([]);
  expect(tf.memory().numTensors).toBe(before);
});

test('speed and time left follow the clock; reports are spaced', () => {
  const time = clock();
  const recording = record();
  const meter = new ProgressMeter({ reporter: recording.reporter, clock: time, isActive: true });
  const at = (step: number) => ({ epoch: 0, epochs: 2, step, epochLength: 100, epochStart: 0 });
  meter.enter('training', at(0));
  for (let step = 1; step <= 20; step++) {
    time.time += 100;
    meter.stepped(32);
    meter.tick(() => at(step));
  }
  const reports = recording.reports.flatMap((report) => (report.type === 'progress' ? [report.progress] : []));
  expect(reports.map((report) => report.step)).toEqual([0, 3, 6, 9, 12, 15, 18]);
  expect(reports[0]).not.toHaveProperty('etaMs');
  expect(reports.at(-1)?.samplesPerSecond).toBeCloseTo(320, 6);
  expect(reports.at(-1)?.etaMs).toBeCloseTo(18_200, 3);
  expect(reports.at(-1)).toMatchObject({ phase: 'training', totalSteps: 200, epochStep: 18 });
});

test('validation and saving are not counted as steps', () => {
  const time = clock();
  const recording = record();
  const meter = new ProgressMeter({ reporter: recording.reporter, clock: time, isActive: true });
  const at = (step: number) => ({ epoch: 0, epochs: 1, step, epochLength: 10, epochStart: 0 });
  meter.enter('training', at(0));
  for (let step = 1; step <= 3; step++) {
    time.time += 100;
    meter.stepped(10);
    meter.tick(() => at(step));
  }
  meter.enter('validating', at(3));
  time.time += 60_000;
  meter.enter('training', at(3));
  time.time += 100;
  meter.stepped(10);
  meter.tick(() => at(4));
  meter.report(at(4));
  const last = recording.reports.at(-1);
  expect(last?.type === 'progress' && last.progress.samplesPerSecond).toBeCloseTo(100, 6);
});

test('neither the first step, which makes the graph, nor a single slow one spoils the speed', () => {
  const time = clock();
  const recording = record();
  const meter = new ProgressMeter({ reporter: recording.reporter, clock: time, isActive: true });
  const at = (step: number) => ({ epoch: 0, epochs: 1, step, epochLength: 1000, epochStart: 0 });
  meter.enter('training', at(0));
  const took = [3000, ...Array.from({ length: 20 }, () => 20)];
  took.forEach((ms, index) => {
    time.time += ms;
    meter.stepped(32);
    meter.tick(() => at(index + 1));
  });
  meter.report(at(took.length));
  const speed = () => {
    const last = recording.reports.at(-1);
    return last?.type === 'progress' ? last.progress.samplesPerSecond : Number.NaN;
  };
  expect(speed()).toBeCloseTo(1600, 6);
  // 1000 ms once among forty of 20: 41 steps in 1.8 s, not one a second
  for (const [index, ms] of [1000, ...Array.from({ length: 20 }, () => 20)].entries()) {
    time.time += ms;
    meter.stepped(32);
    meter.tick(() => at(took.length + index + 1));
  }
  meter.report(at(42));
  expect(speed()).toBeGreaterThan(0.9 * ((41 * 32) / 1.8));
  expect(speed()).toBeLessThan(1600);
});

test('a clock set back harms nothing', () => {
  const time = clock();
  time.time = 10_000;
  const recording = record();
  const meter = new ProgressMeter({ reporter: recording.reporter, clock: time, isActive: true });
  const at = (step: number) => ({ epoch: 0, epochs: 1, step, epochLength: 10, epochStart: 0 });
  meter.enter('training', at(0));
  time.time = 0;
  meter.stepped(10);
  meter.tick(() => at(1));
  meter.report(at(1));
  const last = recording.reports.at(-1);
  expect(last?.type === 'progress' && last.progress.samplesPerSecond).toBeGreaterThanOrEqual(0);
});
