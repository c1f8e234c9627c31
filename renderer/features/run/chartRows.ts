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

/** Rows of several lines as recharts wants them: `value0` and `smooth0` of the first line, `value1` of the second… */
export type MergedRow = Readonly<Record<string, number>> & { readonly x: number };

/**
 * One list of all lines' rows by x. A line may have several rows at one x (an epoch has many steps); its first shares a row
 * with the others' first, and so on. Where a line has none, its names are absent.
 */
export function mergeRows(lines: readonly (readonly ChartRow[])[]): MergedRow[] {
  const merged = new Map<number, { x: number; [name: string]: number }[]>();
  for (const [line, rows] of lines.entries()) {
    const [valueName, smoothName] = [`value${line}`, `smooth${line}`];
    let [last, same] = [Number.NaN, 0];
    for (const { x, value, smooth } of rows) {
      same = x === last ? same + 1 : 0;
      last = x;
      const atX = merged.get(x) ?? [];
      if (atX.length === 0) merged.set(x, atX);
      // written into, not copied: a copy for each of n lines would cost n² values a row
      const row = atX[same] ?? { x };
      row[valueName] = value;
      row[smoothName] = smooth;
      atX[same] = row;
    }
  }
  return [...merged.keys()].sort((a, b) => a - b).flatMap((x) => merged.get(x) ?? []);
}

function xOf(series: Series, index: number, options: ChartRowOptions): number {
  if (options.xAxis === 'time') return (series.time[index] ?? 0) - options.started;
  return (options.xAxis === 'epoch' ? series.epoch[index] : series.step[index]) ?? 0;
}
