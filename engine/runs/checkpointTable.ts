import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { MeasuredNumber } from '../api/number.ts';
import type { CheckpointInfo } from '../api/runModel.ts';
import { CheckpointKind, type CheckpointNotice } from '../api/training.ts';
import { parseExact, stringifyExact } from '../base/exactJson.ts';
import type { Database } from './database.ts';

const Metrics = z.record(z.string(), MeasuredNumber);

interface CheckpointRow extends Readonly<Record<string, string | number>> {
  readonly run_id: string;
  readonly path: string;
  readonly kind: string;
  readonly step: number;
  readonly epoch: number;
  readonly bytes: number;
  readonly metrics_json: string;
  readonly saved_at: number;
}

/** Checkpoints by run and path within the run's folder. The folder is the truth; a row without one is shown as missing. */
export class CheckpointTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds the row, or replaces the one of the same path (`best` is written many times). */
  save(runId: string, notice: CheckpointNotice): void {
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO checkpoints (run_id, path, kind, step, epoch, bytes, metrics_json, saved_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        runId,
        notice.path,
        notice.kind,
        notice.step,
        notice.epoch,
        notice.bytes,
        stringifyExact(notice.metrics),
        notice.time,
      );
  }

  remove(runId: string, path: string): void {
    this.#database.prepare('DELETE FROM checkpoints WHERE run_id = ? AND path = ?').run(runId, path);
  }

  /** Newest step first; `best` before others of its step. */
  list(runId: string, expDir: string): CheckpointInfo[] {
    return this.#database
      .prepare<CheckpointRow>(
        `SELECT * FROM checkpoints WHERE run_id = ? ORDER BY step DESC, kind = 'best' DESC, saved_at DESC, path`,
      )
      .all(runId)
      .map((row) => ({
        runId,
        kind: CheckpointKind.parse(row.kind),
        path: row.path,
        name: row.path.split('/').at(-1) ?? row.path,
        step: row.step,
        epoch: row.epoch,
        bytes: row.bytes,
        metrics: Metrics.parse(parseExact(row.metrics_json)),
        savedAt: row.saved_at,
        missing: !existsSync(join(expDir, row.path)),
      }));
  }
}
