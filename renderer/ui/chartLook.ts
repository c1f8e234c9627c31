/** What every chart's axes look like: spread it into an axis of recharts. */
export const axisLook = { tick: { fill: 'var(--text-3)', fontSize: 11 }, stroke: 'var(--border-strong)' } as const;

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
