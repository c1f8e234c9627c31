import type { MediaDetail } from '../../../../engine/api/media.ts';

export type Histogram = Extract<MediaDetail, { readonly kind: 'histogram' }>;

export interface Ridge {
  readonly step: number;
  /** SVG paths of the outline and of the area below it. */
  readonly line: string;
  readonly area: string;
}

export interface RidgeLayout {
  readonly ridges: readonly Ridge[];
  /** Range of the values over all steps. */
  readonly low: number;
  readonly high: number;
}

export interface RidgeSize {
  readonly width: number;
  readonly height: number;
  /** Most that a ridge rises above its base. */
  readonly rise: number;
}

/**
 * Histograms one behind another, the oldest at the top, on one axis of values. What is drawn is the density (count by
 * bin width), so that steps with other bins compare; the highest of all steps rises by `rise`.
 */
export function layOutRidges(
  histograms: readonly { readonly step: number; readonly detail: Histogram }[],
  { width, height, rise }: RidgeSize,
): RidgeLayout {
  const drawn = histograms.filter(({ detail }) => detail.counts.length > 0);
  const low = Math.min(...drawn.map(({ detail }) => detail.edges[0] ?? 0));
  const high = Math.max(...drawn.map(({ detail }) => detail.edges.at(-1) ?? 0));
  if (drawn.length === 0) return { ridges: [], low: Number.NaN, high: Number.NaN };
  const peak = Math.max(...drawn.flatMap(({ detail }) => densities(detail)));
  const x = (value: number) => round(high > low ? ((value - low) / (high - low)) * width : width / 2);
  const gap = drawn.length > 1 ? (height - rise) / (drawn.length - 1) : 0;
  const ridges = drawn.map(({ step, detail }, index): Ridge => {
    const base = round(drawn.length > 1 ? rise + index * gap : height);
    const points = densities(detail).flatMap((density, bin) => {
      const y = round(base - (density / peak) * rise);
      return [`${x(detail.edges[bin] ?? low)},${y}`, `${x(detail.edges[bin + 1] ?? high)},${y}`];
    });
    const [first, last] = [x(detail.edges[0] ?? low), x(detail.edges.at(-1) ?? high)];
    const line = `M${first},${base} L${points.join(' L')} L${last},${base}`;
    return { step, line, area: `${line} Z` };
  });
  return { ridges, low, high };
}

function densities({ edges, counts }: Histogram): number[] {
  return counts.map((count, bin) => count / Math.max((edges[bin + 1] ?? 0) - (edges[bin] ?? 0), Number.MIN_VALUE));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
