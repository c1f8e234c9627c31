import type { MediaDetail } from '../../../api/media.ts';

export type Histogram = Extract<MediaDetail, { readonly kind: 'histogram' }>;

/**
 * Counts of finite values in `bins` bins of equal width between their minimum and maximum, the last bin closed on both
 * sides, as NumPy's `histogram` counts. One value alone gets bins from half below to half above it. Mean and standard
 * deviation (population) in float64 by Welford's method.
 */
export function histogramOf(values: ArrayLike<number>, bins: number): Histogram {
  let [count, mean, squares] = [0, 0, 0];
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    count++;
    const delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const notFinite = values.length - count;
  if (count === 0) {
    const none = Number.NaN;
    return {
      kind: 'histogram',
      edges: [],
      counts: [],
      count,
      notFinite,
      minimum: none,
      maximum: none,
      mean: none,
      std: none,
    };
  }
  // half a unit would vanish beside a very large value
  const half = minimum < maximum ? 0 : Math.max(0.5, Math.abs(minimum) * 1e-9);
  const [low, high] = [minimum - half, maximum + half];
  const width = high / bins - low / bins;
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + i * width));
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    let bin = Math.max(0, Math.min(bins - 1, Math.floor((value - low) / width)));
    // the division above rounds: the edges decide, as they do in NumPy
    if (bin > 0 && value < (edges[bin] ?? low)) bin--;
    else if (bin < bins - 1 && value >= (edges[bin + 1] ?? high)) bin++;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return {
    kind: 'histogram',
    edges,
    counts,
    count,
    notFinite,
    minimum,
    maximum,
    mean,
    std: Math.sqrt(squares / count),
  };
}
