import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { MetricPoint } from '../../../engine/api/training.ts';
import { RunStore } from '../../../engine/runs/runStore.ts';
import type { NewRun } from '../../../engine/runs/runTable.ts';

/** A folder of its own that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'accelhydra-runs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openStore(file: string = join(temporaryFolder(), 'store.db')): RunStore {
  const store = RunStore.open(file, { busyTimeoutMs: 50 });
  onTestFinished(() => store.dispose());
  return store;
}

export function newRun(expDir: string, changes: Partial<NewRun> = {}): NewRun {
  mkdirSync(expDir, { recursive: true });
  return {
    id: '20260102-030405-00abc',
    name: 'digits',
    expDir,
    configName: 'train',
    overrides: ['epochs=3'],
    command: 'accelhydra train epochs=3',
    configYaml: 'epochs: 3\n',
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    processes: 2,
    devices: ['cpu', 'cpu'],
    host: hostname(),
    user: 'someone',
    environment: { node: 'v24' },
    ...changes,
  };
}

export function points(key: string, values: readonly number[], firstStep = 0): MetricPoint[] {
  return values.map((value, index) => ({ key, step: firstStep + index, epoch: 0, time: 1000 + index, value }));
}
