import { beforeEach, describe, expect, test } from 'vitest';
import type { LauncherEvent } from '../../../engine/api/launch.ts';
import type { MetricPoint, Progress } from '../../../engine/api/training.ts';
import { ReportSink, type ReportTarget } from '../../../engine/launch/reportSink.ts';

const point = (step: number, key = 'train/loss'): MetricPoint => ({ key, step, epoch: 0, time: 0, value: step });
const progressAt = (step: number): Progress => ({
  phase: 'training',
  epoch: 0,
  epochs: 1,
  step,
  totalSteps: 9,
  epochStep: step,
  epochLength: 9,
  samplesPerSecond: 0,
});

/** Writes down what it is asked to write; throws while `full`, refuses its index while `locked`. */
class Notebook implements ReportTarget {
  readonly lines: string[] = [];
  full = false;
  locked = false;
  gone = false;

  appendMetrics(points: readonly MetricPoint[]): void {
    this.#write(`metrics ${points.map(({ step }) => step).join(',')}`);
  }
  truncate(step: number): void {
    this.#write(`truncate ${step}`);
  }
  mediaLogged(notices: readonly { readonly path: string }[]): void {
    this.#write(`media ${notices.map(({ path }) => path).join(',')}`);
  }
  checkpointSaved(notice: { readonly path: string }): void {
    this.#write(`saved ${notice.path}`);
  }
  checkpointPruned(path: string): void {
    this.#write(`pruned ${path}`);
  }
  update(patch: object): void {
    this.#write(`update ${Object.keys(patch).join(',')}`);
  }
  flush(): boolean {
    return !this.locked;
  }
  #write(line: string): void {
    if (this.full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    if (this.gone) throw new Error('FOREIGN KEY constraint failed');
    this.lines.push(line);
  }
}

let target: Notebook;
let events: LauncherEvent[];
let troubles: unknown[];
let now: number;
let sink: ReportSink;

beforeEach(() => {
  target = new Notebook();
  events = [];
  troubles = [];
  now = 1000;
  sink = new ReportSink({
    target,
    onEvent: (event) => events.push(event),
    onTrouble: (problem) => troubles.push(problem),
    clock: { now: () => now },
  });
});

const saved = {
  type: 'checkpoint-saved',
  checkpoint: { kind: 'step', path: 'checkpoints/step_2', step: 2, epoch: 0, bytes: 1, metrics: {}, time: 0 },
} as const;

describe('ReportSink', () => {
  test('writes one batch in order, then tells what changed', () => {
    sink.take({ type: 'metrics', points: [point(1), point(1, 'train/lr')] });
    sink.take({ type: 'metrics', points: [point(2)] });
    sink.take({ type: 'progress', progress: progressAt(0) });
    sink.take({ type: 'progress', progress: progressAt(2) });
    sink.take(saved);
    sink.take({ type: 'metrics', points: [point(3)] });
    sink.take({ type: 'checkpoint-pruned', path: 'checkpoints/step_1' });
    expect(target.lines).toEqual([]);
    expect(sink.flush()).toBe(true);
    expect(target.lines).toEqual([
      'metrics 1,1,2',
      'saved checkpoints/step_2',
      'metrics 3',
      'pruned checkpoints/step_1',
      'update progress',
    ]);
    expect(events).toEqual([
      { type: 'metrics', keys: ['train/loss', 'train/lr'], lastStep: 2 },
      { type: 'checkpoints' },
      { type: 'metrics', keys: ['train/loss'], lastStep: 3 },
      { type: 'checkpoints' },
      { type: 'progress', progress: progressAt(2) },
    ]);
    sink.flush();
    expect(target.lines).toHaveLength(5);
  });

  test('a full disk is told once, nothing is lost, order is kept', () => {
    target.full = true;
    sink.take({ type: 'metrics', points: [point(1)] });
    sink.take(saved);
    expect(sink.flush()).toBe(false);
    sink.take({ type: 'metrics', points: [point(2)] });
    now += 50;
    expect(sink.flush()).toBe(false);
    now += 1000;
    expect(sink.flush()).toBe(false);
    expect(troubles).toHaveLength(1);
    expect(events).toEqual([]);
    target.full = false;
    now += 50;
    expect(sink.flush()).toBe(false); // a moment after a failure it is not tried
    expect(sink.flush(true)).toBe(true);
    expect(target.lines).toEqual(['metrics 1', 'saved checkpoints/step_2', 'metrics 2']);
    expect(troubles).toEqual([expect.any(Error), undefined]);
    expect(events.map((event) => event.type)).toEqual(['metrics', 'checkpoints', 'metrics']);
  });

  test('a write that can never succeed is told once and does not hold up the others', () => {
    target.gone = true;
    for (let step = 1; step < 4; step++) {
      sink.take({ type: 'metrics', points: [point(step)] });
      expect(sink.flush()).toBe(true);
    }
    expect(troubles).toEqual([expect.objectContaining({ message: 'FOREIGN KEY constraint failed' })]);
    target.gone = false;
    sink.take(saved);
    sink.flush();
    expect(target.lines).toEqual(['saved checkpoints/step_2']);
  });

  test('a locked index is not asked ten times a second', () => {
    target.locked = true;
    sink.take({ type: 'metrics', points: [point(1)] });
    expect(sink.flush()).toBe(false);
    sink.take({ type: 'metrics', points: [point(2)] });
    now += 100;
    expect(sink.flush()).toBe(false);
    expect(target.lines).toEqual(['metrics 1']);
    now += 1000;
    target.locked = false;
    expect(sink.flush()).toBe(true);
    expect(target.lines).toEqual(['metrics 1', 'metrics 2']);
  });

  test.each([
    { id: 'a fresh run keeps everything', before: undefined, first: 0, line: undefined },
    { id: 'a resumed run drops what came after its checkpoint', before: undefined, first: 5, line: 'truncate 5' },
    { id: 'a restart from the beginning drops all', before: 7, first: 0, line: 'truncate 0' },
  ])('$id', ({ before, first, line }) => {
    if (before !== undefined) sink.take({ type: 'progress', progress: progressAt(before) });
    sink.flush();
    target.lines.length = 0;
    sink.beginAttempt();
    sink.take({ type: 'progress', progress: progressAt(first) });
    sink.take({ type: 'progress', progress: progressAt(first + 1) });
    sink.flush();
    expect(target.lines).toEqual([...(line === undefined ? [] : [line]), 'update progress']);
  });
});
