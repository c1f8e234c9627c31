import type { MetricKey, RunDetail } from '../../../engine/api/runModel.ts';

export interface ChartedRun {
  readonly run: RunDetail;
  readonly metrics: readonly MetricKey[];
}

/** A run's line in a chart; `index` is the run's place among all runs shown, which gives it its colour in every chart. */
export interface ChartedLine {
  readonly run: RunDetail;
  readonly metric: MetricKey;
  readonly index: number;
}
