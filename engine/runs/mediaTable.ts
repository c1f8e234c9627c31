import { MediaDetail, type MediaKey, MediaKind, type MediaNotice } from '../api/media.ts';
import { parseExact, stringifyExact } from '../base/exactJson.ts';
import type { Database } from './database.ts';

interface MediaRow extends Readonly<Record<string, string | number | null>> {
  readonly key: string;
  readonly step: number;
  readonly item: number;
  readonly epoch: number;
  readonly path: string;
  readonly bytes: number;
  readonly time: number;
  readonly caption: string | null;
  readonly detail_json: string;
}

interface KeyRow extends Readonly<Record<string, string | number>> {
  readonly kind: string;
  readonly key: string;
  readonly items: number;
  readonly bytes: number;
  readonly steps: number;
  readonly first_step: number;
  readonly last_step: number;
  readonly last_time: number;
}

/** Images, audio, text, histograms and tables by run, kind, key, step and number. The files are in the run's folder. */
export class MediaTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds items; one of the same place replaces the one before. */
  save(runId: string, notices: readonly MediaNotice[]): void {
    const insert = this.#database.prepare(
      `INSERT OR REPLACE INTO media (run_id, kind, key, step, item, epoch, path, bytes, time, caption, detail_json)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#database.transaction(() => {
      for (const { key, step, epoch, item, path, bytes, time, caption, detail } of notices) {
        const json = stringifyExact(detail);
        insert.run(runId, detail.kind, key, step, item, epoch, path, bytes, time, caption ?? null, json);
      }
    });
  }

  /** Forgets the items of steps after `step`. */
  truncate(runId: string, step: number): void {
    this.#database.prepare('DELETE FROM media WHERE run_id = ? AND step > ?').run(runId, step);
  }

  /** Every kind and key of the run, by kind and key. */
  keys(runId: string): MediaKey[] {
    return this.#database
      .prepare<KeyRow>(
        `SELECT kind, key, count(*) AS items, sum(bytes) AS bytes, count(DISTINCT step) AS steps,
                min(step) AS first_step, max(step) AS last_step, max(time) AS last_time
         FROM media WHERE run_id = ? GROUP BY kind, key ORDER BY kind, key`,
      )
      .all(runId)
      .map((row) => ({
        kind: MediaKind.parse(row.kind),
        key: row.key,
        items: row.items,
        bytes: row.bytes,
        steps: row.steps,
        firstStep: row.first_step,
        lastStep: row.last_step,
        lastTime: row.last_time,
      }));
  }

  /** Steps that have items, ascending. */
  steps(runId: string, kind: MediaKind, key: string): number[] {
    return this.#database
      .prepare<{ step: number }>(
        'SELECT DISTINCT step FROM media WHERE run_id = ? AND kind = ? AND key = ? ORDER BY step',
      )
      .all(runId, kind, key)
      .map(({ step }) => step);
  }

  /** Items of one step, in order. */
  items(runId: string, kind: MediaKind, key: string, step: number): MediaNotice[] {
    return this.#database
      .prepare<MediaRow>('SELECT * FROM media WHERE run_id = ? AND kind = ? AND key = ? AND step = ? ORDER BY item')
      .all(runId, kind, key, step)
      .map(toNotice);
  }

  /** The first item of at most `maxSteps` steps, evenly spread; the first and the last step are among them. */
  overSteps(runId: string, kind: MediaKind, key: string, maxSteps: number): MediaNotice[] {
    const steps = this.steps(runId, kind, key);
    const last = steps.length - 1;
    const chosen =
      steps.length <= maxSteps
        ? steps
        : Array.from({ length: maxSteps }, (_, i) => steps[Math.round((i * last) / (maxSteps - 1))] ?? 0);
    return chosen.flatMap((step) => this.items(runId, kind, key, step).slice(0, 1));
  }

  findByPath(runId: string, path: string): MediaNotice | undefined {
    const row = this.#database
      .prepare<MediaRow>('SELECT * FROM media WHERE run_id = ? AND path = ? LIMIT 1')
      .get(runId, path);
    return row && toNotice(row);
  }
}

function toNotice(row: MediaRow): MediaNotice {
  const { key, step, epoch, item, path, bytes, time, caption } = row;
  const detail = MediaDetail.parse(parseExact(row.detail_json));
  return { key, step, epoch, item, path, bytes, time, detail, ...(caption === null ? {} : { caption }) };
}
