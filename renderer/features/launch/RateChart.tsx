import { useMemo } from 'react';
import { Area, AreaChart, CartesianGrid, Tooltip, XAxis, YAxis } from 'recharts';
import type { PlannedRate } from '../../../engine/api/planModel.ts';
import { formatCount } from '../../../engine/base/format.ts';
import { countAxis, linearAxis } from '../../lib/axis.ts';
import { formatNumber } from '../../lib/format.ts';
import { tooltipLook, xAxisLook, yAxisLook } from '../../ui/chartLook.ts';
import { useElementWidth } from '../../ui/useElementWidth.ts';

const HEIGHT = 180;

export interface RateChartProps {
  readonly title: string;
  readonly rate: PlannedRate;
  readonly totalSteps: number;
}

/** A learning rate over the steps of the whole training. */
export function RateChart({ title, rate, totalSteps }: RateChartProps) {
  const { ref, width } = useElementWidth();
  const rows = useMemo(() => Array.from(rate.step, (step, index) => ({ step, rate: rate.rate[index] ?? 0 })), [rate]);
  const [highest, last] = [Math.max(0, ...rate.rate), rate.rate.at(-1)];
  return (
    <figure className="plan__chart" ref={ref}>
      <figcaption className="plan__chart-head">
        <span>{title}</span>
        {last !== undefined && (
          <span className="plan__note">
            highest {formatNumber(highest)}, last {formatNumber(last)}
          </span>
        )}
      </figcaption>
      {rows.length === 0 && <p className="field__hint">The optimizer never steps.</p>}
      {rows.length > 0 && width > 0 && (
        <AreaChart
          width={width}
          height={HEIGHT}
          data={rows}
          margin={{ top: 8, right: 12, bottom: 0, left: 0 }}
          accessibilityLayer
          aria-label={title}
        >
          <CartesianGrid stroke="var(--border)" vertical={false} />
          <XAxis
            dataKey="step"
            type="number"
            {...countAxis([Math.max(1, totalSteps)], 0)}
            {...yAxisLook}
            {...xAxisLook}
          />
          <YAxis width={60} {...linearAxis([highest], 0)} {...yAxisLook} />
          <Tooltip
            {...tooltipLook}
            labelFormatter={(step) => `step ${formatCount(Number(step))}`}
            formatter={(value) => [formatNumber(Number(value), 6), 'learning rate']}
          />
          <Area
            dataKey="rate"
            stroke="var(--series-1)"
            strokeWidth={1.8}
            fill="var(--series-1)"
            fillOpacity={0.14}
            isAnimationActive={false}
          />
        </AreaChart>
      )}
    </figure>
  );
}
