import { memo, useEffect, useMemo } from 'react';
import { CartesianGrid, Line, LineChart, XAxis as RechartsXAxis, Tooltip, YAxis } from 'recharts';
import type { MetricKey, RunDetail } from '../../../engine/api/runModel.ts';
import { countAxis, metricAxis, timeAxis } from '../../lib/axis.ts';
import { formatMetric } from '../../lib/format.ts';
import { seriesId, useSeriesStore, watchSeries } from '../../stores/series.ts';
import { tooltipLook, xAxisLook, yAxisLook } from '../../ui/chartLook.ts';
import { Spinner } from '../../ui/states.tsx';
import { useElementWidth } from '../../ui/useElementWidth.ts';
import { type ChartRow, chartRows } from './chartRows.ts';

export type XAxis = 'step' | 'epoch' | 'time';

export interface MetricChartProps {
  readonly run: RunDetail;
  readonly metric: MetricKey;
  readonly xAxis: XAxis;
  readonly logScale: boolean;
  readonly smoothing: number;
}

const HEIGHT = 190;
// recharts draws an SVG node a point: a few hundred rows stay fluid, and a chart has no more pixels to show
const MOST_ROWS = 400;

export function MetricChart({ run, metric, xAxis, logScale, smoothing }: MetricChartProps) {
  const { ref, width } = useElementWidth();
  const maxPoints = Math.min(MOST_ROWS, Math.max(50, Math.round(width / 2)));
  const id = seriesId({ runId: run.id, key: metric.key });
  const series = useSeriesStore((state) => state.series[id]?.data);
  const error = useSeriesStore((state) => state.series[id]?.error);
  useEffect(() => {
    if (width > 0) return watchSeries({ runId: run.id, key: metric.key, maxPoints });
    return undefined;
  }, [run.id, metric.key, maxPoints, width]);
  const started = run.startedAt ?? run.createdAt;
  const rows = useMemo(
    () => (series ? chartRows(series, { xAxis, smoothing, started, positiveOnly: logScale }) : []),
    [series, xAxis, smoothing, started, logScale],
  );
  return (
    <figure className="chart" ref={ref}>
      <figcaption className="chart__head">
        <span className="chart__title">{metric.key}</span>
        <span className="chart__value">{formatMetric(metric.key, metric.lastValue)}</span>
      </figcaption>
      {error && <p className="chart__note">{error.message}</p>}
      {!series && !error && (
        <div className="chart__note">
          <Spinner />
        </div>
      )}
      {series && rows.length === 0 && (
        <p className="chart__note">No finite value to draw{logScale ? ' on a log scale' : ''}.</p>
      )}
      {rows.length > 0 && width > 0 && (
        <Plot
          title={metric.key}
          rows={rows}
          width={width}
          xAxis={xAxis}
          logScale={logScale}
          isSmoothed={smoothing > 0}
        />
      )}
    </figure>
  );
}

interface PlotProps {
  readonly title: string;
  readonly rows: readonly ChartRow[];
  readonly width: number;
  readonly xAxis: XAxis;
  readonly logScale: boolean;
  readonly isSmoothed: boolean;
}

/** The drawing alone: recharts works through every row each time, so that it must not follow what is only told beside it. */
const Plot = memo(function Plot({ title, rows, width, xAxis, logScale, isSmoothed }: PlotProps) {
  const x = (xAxis === 'time' ? timeAxis : countAxis)(rows.map((row) => row.x));
  const y = metricAxis(
    title,
    rows.map((row) => row.value),
    logScale,
  );
  return (
    <LineChart
      width={width}
      height={HEIGHT}
      data={rows as ChartRow[]}
      margin={{ top: 8, right: 12, bottom: 0, left: 0 }}
      accessibilityLayer
    >
      <CartesianGrid stroke="var(--border)" vertical={false} />
      <RechartsXAxis dataKey="x" type="number" {...x} {...xAxisLook} />
      <YAxis width={58} scale={logScale ? 'log' : 'linear'} {...y} {...yAxisLook} />
      <Tooltip
        {...tooltipLook}
        labelFormatter={(value) => `${xAxis} ${x.tickFormatter(Number(value))}`}
        formatter={(value, name) => [formatMetric(title, Number(value), 6), name === 'smooth' ? 'smoothed' : title]}
      />
      {isSmoothed && (
        <Line
          dataKey="value"
          stroke="var(--series-1)"
          strokeOpacity={0.3}
          strokeWidth={1}
          dot={false}
          isAnimationActive={false}
        />
      )}
      <Line
        dataKey={isSmoothed ? 'smooth' : 'value'}
        stroke="var(--series-1)"
        strokeWidth={1.8}
        dot={rows.length <= 30 ? { r: 2.5 } : false}
        isAnimationActive={false}
      />
    </LineChart>
  );
});
