import { type ScaleContinuousNumeric, scaleLinear, scaleLog, scaleUtc } from 'd3-scale';
import { byteUnit, formatCount, formatDuration } from '../../engine/base/format.ts';

/** What a chart's axis covers, where it is marked and with what: spread it into an axis of recharts. */
export interface Axis {
  readonly domain: [number, number];
  readonly ticks: number[];
  readonly tickFormatter: (tick: number) => string;
}

const TICKS = 5;

/** A metric's own axis, linear or logarithmic, in a unit of bytes for those named `…_bytes`. */
export function metricAxis(key: string, values: readonly number[], logScale: boolean): Axis {
  const axis = logScale ? logAxis : linearAxis;
  return key.endsWith('_bytes') ? byteAxis(values, axis) : axis(values);
}

/** An axis of values, its ends moved out to round numbers: 0.137 … 0.81 is 0 … 1. A single value has some room around it. */
export function linearAxis(values: readonly number[], least?: number): Axis {
  const [from, to] = extent(values, least);
  const room = from === to ? Math.abs(from) / 10 || 1 : 0;
  const scale = scaleLinear().domain([from - room, to + room]);
  return axisOf(scale.nice(TICKS), formatTick);
}

/** Round numbers of the unit in which the differences are told: 1,200 MiB and 1,250 MiB, not 1.2 GiB twice. */
function byteAxis(values: readonly number[], axis: (values: readonly number[]) => Axis): Axis {
  const [from, to] = extent(values);
  const unit = byteUnit(to - from || to);
  const { domain, ticks } = axis([from / unit.bytes, to / unit.bytes]);
  return {
    domain: [domain[0] * unit.bytes, domain[1] * unit.bytes],
    ticks: ticks.map((tick) => tick * unit.bytes),
    tickFormatter: (tick) => `${formatTick(tick / unit.bytes)} ${unit.name}`,
  };
}

/** An axis from exactly the first to the last step or epoch (or from `least`), marked at whole ones. */
export function countAxis(values: readonly number[], least?: number): Axis {
  const axis = axisOf(scaleLinear().domain(extent(values, least)), formatCount);
  return { ...axis, ticks: axis.ticks.filter(Number.isInteger) };
}

/** An axis of milliseconds since a start, marked as clocks are: at 15 s, 5 m, 3 h. */
export function timeAxis(values: readonly number[]): Axis {
  const domain = extent(values);
  return { domain, ticks: scaleUtc().domain(domain).ticks(TICKS).map(Number), tickFormatter: formatDuration };
}

/** A logarithmic axis of positive values, marked at powers of ten and, where few of them fit, at 2, 3… between. */
function logAxis(values: readonly number[]): Axis {
  const scale = scaleLog().domain(extent(values));
  const axis = axisOf(scale, formatTick);
  const label = scale.tickFormat(TICKS);
  const labelled = axis.ticks.filter((tick) => label(tick) !== '');
  // within less than a power of ten d3 marks linearly, and labels few of those
  return { ...axis, ticks: labelled.length > 1 ? labelled : axis.ticks };
}

function axisOf(scale: ScaleContinuousNumeric<number, number>, tickFormatter: (tick: number) => string): Axis {
  const [from = 0, to = 1] = scale.domain();
  return { domain: [from, to], ticks: scale.ticks(TICKS), tickFormatter };
}

/** Smallest and largest; 0 and 1 of nothing. */
function extent(values: readonly number[], least = Number.POSITIVE_INFINITY): [number, number] {
  let [from, to] = [least, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    from = Math.min(from, value);
    to = Math.max(to, value);
  }
  return from <= to ? [from, to] : [0, 1];
}

/** A round number with all its digits, free of what binary fractions add. */
function formatTick(value: number): string {
  const round = Number(value.toPrecision(6));
  const size = Math.abs(round);
  return size >= 1e6 || (size < 1e-4 && size > 0) ? round.toExponential() : String(round);
}
