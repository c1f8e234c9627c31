import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { MetricPoint } from '../api/training.ts';
import type { Disposable } from '../base/disposable.ts';
import { runFiles } from './runFolder.ts';

/**
 * `metrics/metrics.jsonl`: one point a line, `{"key":"train/loss","step":1,"epoch":0,"time":1.7e12,"value":0.7}`; NaN and
 * infinities are the strings "NaN", "Infinity", "-Infinity". The store is filled from it when a run's row is lost.
 * A line of an earlier step than the last one means that the run went on from a checkpoint: later lines win.
 */
export class MetricJournal implements Disposable {
  readonly #descriptor: number;
  #open = true;

  /** Appends to the journal of the run in `expDir`, creating it. */
  constructor(expDir: string) {
    const folder = join(expDir, runFiles.metrics);
    mkdirSync(folder, { recursive: true });
    this.#descriptor = openSync(join(folder, 'metrics.jsonl'), 'a');
  }

  append(points: readonly MetricPoint[]): void {
    if (points.length === 0) return;
    writeSync(this.#descriptor, points.map((point) => `${JSON.stringify(toLine(point))}\n`).join(''));
  }

  /** Marks that the run went on from `step`: what was written for later steps no longer holds. */
  truncate(step: number): void {
    writeSync(this.#descriptor, `${JSON.stringify({ truncate: step })}\n`);
  }

  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#descriptor);
  }
}

/** What a journal holds, in order. */
export type JournalEntry =
  | { readonly type: 'points'; readonly points: readonly MetricPoint[] }
  | { readonly type: 'truncate'; readonly step: number };

/** Reads every `metrics/*.jsonl` of a run; a line that is torn (a crash while writing) or foreign is passed over. */
export function readMetricJournal(expDir: string): JournalEntry[] {
  const folder = join(expDir, runFiles.metrics);
  if (!existsSync(folder)) return [];
  const entries: JournalEntry[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.jsonl')) continue;
    let points: MetricPoint[] = [];
    const flush = () => {
      if (points.length > 0) entries.push({ type: 'points', points });
      points = [];
    };
    for (const text of readFileSync(join(folder, name), 'utf8').split('\n')) {
      const line = text === '' ? undefined : parseLine(text);
      if (line === undefined) continue;
      if ('truncate' in line) {
        flush();
        entries.push({ type: 'truncate', step: line.truncate });
      } else {
        points.push({ ...line, value: Number(line.value) });
      }
    }
    flush();
  }
  return entries;
}

const Line = z.union([
  z.object({
    key: z.string(),
    step: z.number().int().nonnegative(),
    epoch: z.number().int().nonnegative(),
    time: z.number(),
    value: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]),
  }),
  z.object({ truncate: z.number().int() }),
]);

function parseLine(text: string): z.infer<typeof Line> | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function toLine(point: MetricPoint): Record<string, unknown> {
  return { ...point, value: Number.isFinite(point.value) ? point.value : String(point.value) };
}
