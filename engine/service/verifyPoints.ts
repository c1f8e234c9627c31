import type { MetricPoint } from '../api/training.ts';
import type { Difference } from '../api/verifyModel.ts';
import { readMetricJournal } from '../runs/metricJournal.ts';

/** Metrics of the training by key and step; what the machine measures (times, memory) is never the same twice. */
export type RecordedPoints = ReadonlyMap<string, MetricPoint>;

export function readPoints(runDir: string): RecordedPoints {
  const points = new Map<string, MetricPoint>();
  for (const entry of readMetricJournal(runDir)) {
    if (entry.type !== 'points') continue;
    // a run that went on from a checkpoint wrote some steps again: later lines win
    for (const point of entry.points) {
      if (/^(train|val)\//.test(point.key)) points.set(`${point.step} ${point.key}`, point);
    }
  }
  return points;
}

/** Compares what both have, in the order of the steps. */
export function comparePoints(
  recorded: RecordedPoints,
  replayed: RecordedPoints,
): { readonly points: number; readonly difference: Difference | undefined } {
  let points = 0;
  let differing = 0;
  let first: Difference | undefined;
  // at one step the loss comes first: what else differs there follows from it
  const isLoss = ({ key }: MetricPoint) => Number(key === 'train/loss');
  const ordered = [...replayed].sort(([, a], [, b]) => a.step - b.step || isLoss(b) - isLoss(a));
  for (const [place, { key, step, value }] of ordered) {
    const before = recorded.get(place);
    if (before === undefined) continue;
    points++;
    if (Object.is(before.value, value)) continue;
    differing++;
    first ??= { kind: 'metric', key, step, recorded: before.value, replayed: value, points: 0 };
  }
  return { points, difference: first?.kind === 'metric' ? { ...first, points: differing } : first };
}
