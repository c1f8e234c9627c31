import { memo, useEffect, useMemo } from 'react';
import { CartesianGrid, Line, LineChart, XAxis as RechartsXAxis, Tooltip, YAxis } from 'recharts';
import { useShallow } from 'zustand/react/shallow';
import { countAxis, metricAxis, timeAxis } from '../../lib/axis.ts';
import { formatMetric } from '../../lib/format.ts';
import { seriesId, useSeriesStore, watchSeries } from '../../stores/series.ts';
import { dotLook, lineLook, tooltipLook, xAxisLook, yAxisLook } from '../../ui/chartLook.ts';
import { Spinner } from '../../ui/states.tsx';
import { useElementWidth } from '../../ui/useElementWidth.ts';
import type { ChartedLine } from './chartedRun.ts';
import { chartRows, type MergedRow, mergeRows } from './chartRows.ts';
import { MetricLegend } from './compare/MetricLegend.tsx';

export type XAxis = 'step' | 'epoch' | 'time';

export interface MetricChartProps {
  readonly title: string;
  readonly lines: readonly ChartedLine[];
  /** Names the lines and says their values below; without it there is one line, and its last value stands above. */
  readonly hasLegend: boolean;
  readonly xAxis: XAxis;
  readonly logScale: boolean;
  readonly smoothing: number;
}

const HEIGHT = 190;
// recharts draws an SVG node a point: a few hundred rows stay fluid, and a chart has no more pixels to show
const MOST_ROWS = 400;

export function MetricChart({ title, lines, hasLegend, xAxis, logScale, smoothing }: MetricChartProps) {
  const { ref, width } = useElementWidth();
  const maxPoints = Math.min(MOST_ROWS, Math.max(50, Math.round(width / 2)));
  const runIds = useStable(lines.map(({ run }) => run.id));
  const starts = useStable(lines.map(({ run }) => run.startedAt ?? run.createdAt));
  const series = useSeriesStore(
    useShallow((state) => runIds.map((runId) => state.series[seriesId({ runId, key: title })]?.data)),
  );
  const error = useSeriesStore((state) =>
    runIds.map((runId) => state.series[seriesId({ runId, key: title })]?.error).find(Boolean),
  );
  useEffect(() => {
    if (width === 0) return undefined;
    return watchSeries(runIds.map((runId) => ({ runId, key: title, maxPoints })));
  }, [runIds, title, maxPoints, width]);
  const rows = useMemo(() => {
    const options = { xAxis, smoothing, positiveOnly: logScale };
    return mergeRows(
      series.map((one, line) => (one ? chartRows(one, { ...options, started: starts[line] ?? 0 }) : [])),
    );
  }, [series, xAxis, smoothing, starts, logScale]);
  const isThere = series.some((one) => one !== undefined);
  const drawn = useStable(lines.map(({ index }) => index));
  const names = useStable(lines.map(({ run }) => (hasLegend ? run.name : title)));
  return (
    <figure className="chart" ref={ref}>
      <figcaption className="chart__head">
        <span className="chart__title">{title}</span>
        {!hasLegend &&
          lines.map(({ run, metric }) => (
            <span className="chart__value" key={run.id}>
              {formatMetric(title, metric.lastValue)}
            </span>
          ))}
      </figcaption>
      {error && <p className="chart__note">{error.message}</p>}
      {!isThere && !error && (
        <div className="chart__note">
          <Spinner />
        </div>
      )}
      {isThere && rows.length === 0 && (
        <p className="chart__note">No finite value to draw{logScale ? ' on a log scale' : ''}.</p>
      )}
      {rows.length > 0 && width > 0 && (
        <Plot
          title={title}
          rows={rows}
          names={names}
          indices={drawn}
          width={width}
          xAxis={xAxis}
          logScale={logScale}
          isSmoothed={smoothing > 0}
        />
      )}
      {hasLegend && <MetricLegend title={title} lines={lines} />}
    </figure>
  );
}

/** The list as it was for as long as its items are the same: what is drawn must not follow what is only told beside it. */
function useStable<T extends string | number>(items: readonly T[]): readonly T[] {
  const key = JSON.stringify(items);
  return useMemo(() => JSON.parse(key), [key]);
}

interface PlotProps {
  readonly title: string;
  readonly rows: readonly MergedRow[];
  /** What each line is called, and its colour's number. */
  readonly names: readonly string[];
  readonly indices: readonly number[];
  readonly width: number;
  readonly xAxis: XAxis;
  readonly logScale: boolean;
  readonly isSmoothed: boolean;
}

/** The drawing alone: recharts works through every row each time. */
const Plot = memo(function Plot({ title, rows, names, indices, width, xAxis, logScale, isSmoothed }: PlotProps) {
  const x = (xAxis === 'time' ? timeAxis : countAxis)(rows.map((row) => row.x));
  const values = rows.flatMap((row) => names.map((_, line) => row[`value${line}`] ?? Number.NaN));
  const y = metricAxis(title, values.filter(Number.isFinite), logScale);
  return (
    <LineChart
      width={width}
      height={HEIGHT}
      data={rows as MergedRow[]}
      margin={{ top: 8, right: 12, bottom: 0, left: 0 }}
      accessibilityLayer
      aria-label={title}
    >
      <CartesianGrid stroke="var(--border)" vertical={false} />
      <RechartsXAxis dataKey="x" type="number" {...x} {...xAxisLook} />
      <YAxis width={58} scale={logScale ? 'log' : 'linear'} {...y} {...yAxisLook} />
      <Tooltip
        {...tooltipLook}
        labelFormatter={(value) => `${xAxis} ${x.tickFormatter(Number(value))}`}
        formatter={(value, name) => [formatMetric(title, Number(value), 6), name]}
      />
      {isSmoothed &&
        names.map((name, line) => (
          <Line
            key={`value ${indices[line]}`}
            name={name}
            dataKey={`value${line}`}
            {...lineLook(indices[line] ?? 0)}
            strokeOpacity={0.3}
            strokeWidth={1}
            dot={false}
            connectNulls
            isAnimationActive={false}
          />
        ))}
      {names.map((name, line) => (
        <Line
          key={`line ${indices[line]}`}
          name={isSmoothed ? `${name}, smoothed` : name}
          dataKey={isSmoothed ? `smooth${line}` : `value${line}`}
          {...lineLook(indices[line] ?? 0)}
          strokeWidth={1.8}
          dot={rows.length <= 30 ? { r: 2.5, strokeDasharray: 'none', ...dotLook(indices[line] ?? 0) } : false}
          connectNulls
          isAnimationActive={false}
        />
      ))}
    </LineChart>
  );
});
