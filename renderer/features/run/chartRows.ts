import type { Series } from '../../../engine/api/runModel.ts';

export interface ChartRow {
  readonly x: number;
  readonly value: number;
  readonly smooth: number;
}

export interface ChartRowOptions {
  readonly xAxis: 'step' | 'epoch' | 'time';
  /** Weight of the past in the exponential moving average, 0 to below 1. */
  readonly smoothing: number;
  /** Start of the run, milliseconds since the epoch; `time` counts from here. */
  readonly started: number;
  /** Leave out what a logarithmic axis cannot show. */
  readonly positiveOnly: boolean;
}

/**
 * Rows for the chart. NaN and infinite values are left out of the line (the log tells of them). The moving average is
 * debiased as in Adam (value / (1 − weight^n)), so that its start is not pulled to zero.
 */
export function chartRows(series: Series, options: ChartRowOptions): ChartRow[] {
  const rows: ChartRow[] = [];
  let average = 0;
  let bias = 1;
  for (let index = 0; index < series.step.length; index++) {
    const value = series.value[index] ?? Number.NaN;
    if (!Number.isFinite(value) || (options.positiveOnly && value <= 0)) continue;
    average = average * options.smoothing + value * (1 - options.smoothing);
    bias *= options.smoothing;
    rows.push({ x: xOf(series, index, options), value, smooth: average / (1 - bias) });
  }
  return rows;
}

function xOf(series: Series, index: number, options: ChartRowOptions): number {
  if (options.xAxis === 'time') return (series.time[index] ?? 0) - options.started;
  return (options.xAxis === 'epoch' ? series.epoch[index] : series.step[index]) ?? 0;
}
