const axisLook = { tick: { fill: 'var(--text-3)', fontSize: 11 }, stroke: 'var(--border-strong)' } as const;

/** What every chart's vertical axis looks like: spread it into an axis of recharts. Its few labels are all there. */
export const yAxisLook = { ...axisLook, interval: 0 } as const;

/** The horizontal one: where labels get too close every second, third… goes, so that the rest stays even. */
export const xAxisLook = { ...axisLook, interval: 'equidistantPreserveStart', minTickGap: 18 } as const;

/** What every chart's tooltip looks like: spread it into recharts' Tooltip. */
export const tooltipLook = {
  isAnimationActive: false,
  contentStyle: {
    background: 'var(--surface)',
    border: '1px solid var(--border)',
    borderRadius: 6,
    color: 'var(--text)',
    fontSize: 12,
  },
} as const;

const COLOURS = 6;
const DASHES = ['none', '7 3', '2 3'];

/** The look of the nth line's points: those of the dashed and dotted lines are hollow. */
export function dotLook(index: number): { readonly stroke: string; readonly fill: string } {
  const { stroke } = lineLook(index);
  return { stroke, fill: index < COLOURS ? stroke : 'var(--surface)' };
}

/** The look of the nth line of a chart: six colours, then the same dashed, then dotted. */
export function lineLook(index: number): { readonly stroke: string; readonly strokeDasharray: string } {
  return {
    stroke: `var(--series-${(index % COLOURS) + 1})`,
    strokeDasharray: DASHES[Math.floor(index / COLOURS) % DASHES.length] ?? 'none',
  };
}
