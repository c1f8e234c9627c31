import type { MetricKey, Series, SeriesRequest } from '../api/runModel.ts';
import type { MetricPoint } from '../api/training.ts';
import type { Database, Statement } from './database.ts';

/** NULL in a value column means NaN: SQLite has no NaN. */
type Stored = number | null;

interface SeriesRow extends Readonly<Record<string, Stored | string>> {
  readonly id: number;
  readonly key: string;
  readonly points: number;
  readonly last_step: number;
  readonly last_value: Stored;
  readonly minimum: Stored;
  readonly maximum: Stored;
}

interface PointRow extends Readonly<Record<string, Stored>> {
  readonly step: number;
  readonly epoch: number;
  readonly time: number;
  readonly value: Stored;
}

interface ExtremaRow extends Readonly<Record<string, Stored>> {
  readonly points: number;
  readonly minimum: Stored;
  readonly maximum: Stored;
}

/** Statistics of one series while a batch is written. */
interface Running {
  readonly id: number;
  points: number;
  lastStep: number;
  lastValue: Stored;
  minimum: Stored;
  maximum: Stored;
  /** A point replaced an older one, so the statistics are counted again at the end of the batch. */
  replaced: boolean;
}

/**
 * Metric points by run, key and step. One value a step: writing a step again replaces it, so that a batch sent twice or a
 * resumed run's repeated steps do no harm.
 */
export class MetricTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Writes a batch in one transaction. The run must exist. */
  append(runId: string, points: readonly MetricPoint[]): void {
    if (points.length === 0) return;
    this.#database.transaction(() => {
      const open = new Map<string, Running>();
      const insert = this.#database.prepare(
        'INSERT OR REPLACE INTO metric_points (series_id, step, epoch, time, value) VALUES (?, ?, ?, ?, ?)',
      );
      for (const point of points) {
        let series = open.get(point.key);
        if (!series) {
          series = this.#openSeries(runId, point.key);
          open.set(point.key, series);
        }
        const value = Number.isNaN(point.value) ? null : point.value;
        insert.run(series.id, point.step, point.epoch, point.time, value);
        count(series, point.step, value);
      }
      for (const series of open.values()) this.#saveSeries(series);
    });
  }

  /** Drops every point after `step`: a run that goes on from a checkpoint leaves its abandoned future behind. */
  truncate(runId: string, step: number): void {
    this.#database.transaction(() => {
      for (const row of this.#seriesOf(runId)) {
        if (row.last_step <= step) continue;
        this.#database.prepare('DELETE FROM metric_points WHERE series_id = ? AND step > ?').run(row.id, step);
        this.#recount(row.id);
      }
      this.#database.prepare('DELETE FROM metric_series WHERE run_id = ? AND points = 0').run(runId);
    });
  }

  /** Every key of the run with its last value and finite extrema, by key. */
  keys(runId: string): MetricKey[] {
    return this.#seriesOf(runId).map((row) => ({
      key: row.key,
      points: row.points,
      lastStep: row.last_step,
      lastValue: row.last_value ?? Number.NaN,
      minimum: row.minimum ?? undefined,
      maximum: row.maximum ?? undefined,
    }));
  }

  /**
   * The series in at most `maxPoints` buckets of equal step width. A bucket stands at its last point (`step`, `time`,
   * `epoch`, `value`) and keeps its extrema; the first point has a bucket of its own, so first and last points and all
   * extrema survive any width. Extrema are NaN where a bucket holds nothing but NaN. An unknown key is an empty series.
   */
  series(request: SeriesRequest): Series {
    const { runId, key, maxPoints } = request;
    const row = this.#database
      .prepare<SeriesRow>('SELECT * FROM metric_series WHERE run_id = ? AND key = ?')
      .get(runId, key);
    const from = request.fromStep ?? 0;
    const to = request.toStep ?? Number.MAX_SAFE_INTEGER;
    const inside = row && this.#range(row.id, from, to);
    if (!row || !inside) return pack(runId, key, [], 0);
    if (this.#countUpTo(row, inside, maxPoints) <= maxPoints) {
      const points = this.#database
        .prepare<PointRow>(`SELECT step, epoch, time, value FROM metric_points ${IN_RANGE} ORDER BY step`)
        .all(row.id, inside.first, inside.last);
      const raw = points.map((point) => ({ ...point, minimum: point.value, maximum: point.value }));
      return pack(runId, key, raw, raw.length);
    }
    return this.#bucketed(runId, key, row.id, inside, maxPoints);
  }

  #bucketed(runId: string, key: string, seriesId: number, inside: StepRange, maxPoints: number): Series {
    const extrema: Statement<ExtremaRow> = this.#database.prepare<ExtremaRow>(
      `SELECT count(*) AS points, min(value) AS minimum, max(value) AS maximum FROM metric_points ${IN_RANGE}`,
    );
    const last: Statement<PointRow> = this.#database.prepare<PointRow>(
      `SELECT step, epoch, time, value FROM metric_points ${IN_RANGE} ORDER BY step DESC LIMIT 1`,
    );
    const buckets: Bucket[] = [];
    let total = 0;
    for (const { first, last: end } of bucketRanges(inside, maxPoints)) {
      const found = extrema.get(seriesId, first, end);
      if (!found || found.points === 0) continue;
      const point = last.get(seriesId, first, end);
      if (!point) continue;
      total += found.points;
      buckets.push({ ...point, minimum: found.minimum, maximum: found.maximum });
    }
    return pack(runId, key, buckets, total);
  }

  /** First and last step that exist within the asked range. */
  #range(seriesId: number, from: number, to: number): StepRange | undefined {
    const edge = (order: 'ASC' | 'DESC') =>
      this.#database
        .prepare<{ step: number }>(`SELECT step FROM metric_points ${IN_RANGE} ORDER BY step ${order} LIMIT 1`)
        .get(seriesId, from, to)?.step;
    const first = edge('ASC');
    const last = edge('DESC');
    return first === undefined || last === undefined ? undefined : { first, last };
  }

  /** How many points lie in the range, counted no further than needed. */
  #countUpTo(row: SeriesRow, inside: StepRange, limit: number): number {
    if (row.points <= limit) return row.points;
    const counted = this.#database
      .prepare<{ n: number }>(`SELECT count(*) AS n FROM (SELECT 1 FROM metric_points ${IN_RANGE} LIMIT ?)`)
      .get(row.id, inside.first, inside.last, limit + 1);
    return counted?.n ?? 0;
  }

  #seriesOf(runId: string): SeriesRow[] {
    return this.#database.prepare<SeriesRow>('SELECT * FROM metric_series WHERE run_id = ? ORDER BY key').all(runId);
  }

  #openSeries(runId: string, key: string): Running {
    const find = this.#database.prepare<SeriesRow>('SELECT * FROM metric_series WHERE run_id = ? AND key = ?');
    let row = find.get(runId, key);
    if (!row) {
      this.#database
        .prepare('INSERT INTO metric_series (run_id, key, points, last_step) VALUES (?, ?, 0, -1)')
        .run(runId, key);
      row = find.get(runId, key);
    }
    if (!row) throw new Error(`Internal error: the series '${key}' of run ${runId} was not created`);
    return {
      id: row.id,
      points: row.points,
      lastStep: row.last_step,
      lastValue: row.last_value,
      minimum: row.minimum,
      maximum: row.maximum,
      replaced: false,
    };
  }

  #saveSeries(series: Running): void {
    if (series.replaced) {
      this.#recount(series.id);
      return;
    }
    this.#database
      .prepare(
        'UPDATE metric_series SET points = ?, last_step = ?, last_value = ?, minimum = ?, maximum = ? WHERE id = ?',
      )
      .run(series.points, series.lastStep, series.lastValue, series.minimum, series.maximum, series.id);
  }

  #recount(seriesId: number): void {
    this.#database
      .prepare(
        `UPDATE metric_series SET
           points = (SELECT count(*) FROM metric_points WHERE series_id = metric_series.id),
           minimum = (SELECT min(value) FROM metric_points WHERE series_id = metric_series.id AND ${FINITE}),
           maximum = (SELECT max(value) FROM metric_points WHERE series_id = metric_series.id AND ${FINITE}),
           last_step = coalesce((SELECT max(step) FROM metric_points WHERE series_id = metric_series.id), -1),
           last_value = (SELECT value FROM metric_points WHERE series_id = metric_series.id ORDER BY step DESC LIMIT 1)
         WHERE id = ?`,
      )
      .run(seriesId);
  }
}

interface StepRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

interface Bucket {
  readonly step: number;
  readonly epoch: number;
  readonly time: number;
  readonly value: Stored;
  readonly minimum: Stored;
  readonly maximum: Stored;
}

const IN_RANGE = 'WHERE series_id = ? AND step BETWEEN ? AND ?';
const FINITE = 'value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308';

/** The first step alone, then `count - 1` ranges of equal width up to the last step. */
export function bucketRanges(inside: StepRange, count: number): StepRange[] {
  const ranges: StepRange[] = [];
  if (count > 1) ranges.push({ first: inside.first, last: inside.first });
  const start = count > 1 ? inside.first + 1 : inside.first;
  const buckets = Math.max(1, count - 1);
  const width = (inside.last - start + 1) / buckets;
  for (let index = 0; index < buckets; index++) {
    const first = start + Math.ceil(index * width);
    const last = index === buckets - 1 ? inside.last : start + Math.ceil((index + 1) * width) - 1;
    if (first <= last) ranges.push({ first, last });
  }
  return ranges;
}

function count(series: Running, step: number, value: Stored): void {
  if (step <= series.lastStep) {
    series.replaced = true;
    return;
  }
  series.points++;
  series.lastStep = step;
  series.lastValue = value;
  if (value === null || !Number.isFinite(value)) return;
  series.minimum = series.minimum === null ? value : Math.min(series.minimum, value);
  series.maximum = series.maximum === null ? value : Math.max(series.maximum, value);
}

function pack(runId: string, key: string, buckets: readonly Bucket[], totalPoints: number): Series {
  const column = (read: (bucket: Bucket) => Stored) =>
    Float64Array.from(buckets, (bucket) => read(bucket) ?? Number.NaN);
  return {
    runId,
    key,
    step: column((bucket) => bucket.step),
    time: column((bucket) => bucket.time),
    epoch: column((bucket) => bucket.epoch),
    value: column((bucket) => bucket.value),
    minimum: column((bucket) => bucket.minimum),
    maximum: column((bucket) => bucket.maximum),
    totalPoints,
  };
}
