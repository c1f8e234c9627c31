import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MetricPoint } from '../../../api/training.ts';
import type { LoggedMedia, Tracker, TrackerStart } from './tracker.ts';

/**
 * One JSON object a line, for scripts: `{"type":"start","step":0,"hyperparameters":{…}}`, `{"type":"metric","key":…,"step":…,
 * "epoch":…,"time":…,"value":…}`, `{"type":"media",…}`, `{"type":"rollback","step":30}` where the training went back, `{"type":"end","status":"completed"}`. NaN and infinities are the
 * strings "NaN", "Infinity", "-Infinity".
 */
export class JsonlTracker implements Tracker {
  readonly name = 'jsonl';
  readonly #file: string;
  #descriptor: number | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  begin({ hyperparameters, name, step }: TrackerStart): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    this.#descriptor = openSync(this.#file, 'a');
    this.#write([{ type: 'start', name, step, hyperparameters }]);
  }

  rolledBack(step: number): void {
    this.#write([{ type: 'rollback', step }]);
  }

  metrics(points: readonly MetricPoint[]): void {
    this.#write(points.map((point) => ({ type: 'metric', ...point })));
  }

  media({ notice }: LoggedMedia): void {
    this.#write([{ type: 'media', ...notice }]);
  }

  flush(): void {
    // written line by line
  }

  end(status: 'completed' | 'failed'): void {
    this.#write([{ type: 'end', status }]);
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #write(lines: readonly object[]): void {
    if (this.#descriptor === undefined) return;
    writeSync(this.#descriptor, lines.map((line) => `${JSON.stringify(line, named)}\n`).join(''));
  }
}

function named(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
