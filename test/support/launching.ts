import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { LaunchPlan } from '../../engine/api/launch.ts';
import type { StartRunDependencies, StartRunRequest } from '../../engine/launch/index.ts';
import { isProcessAlive } from '../../engine/runs/heartbeat.ts';
import { RunStore } from '../../engine/runs/runStore.ts';

/** A project folder with a store for tests that start real launchers, and the list of processes they must not leave. */
export class LaunchBench {
  readonly root: string;
  readonly store: RunStore;
  readonly #processes = new Set<number>();
  readonly #runs = new Set<string>();

  constructor(folder = mkdtempSync(join(tmpdir(), 'launch-'))) {
    this.root = folder;
    this.store = RunStore.open(join(folder, '.accelhydra', 'runs.sqlite'));
  }

  /** Starts the fixture training processes; the config says what they do. */
  get dependencies(): StartRunDependencies {
    const workerModule = fileURLToPath(new URL('../fixtures/launch/worker.ts', import.meta.url));
    return { store: this.store, workerModule, readyTimeoutMs: 30_000 };
  }

  request(config: string, plan: Partial<LaunchPlan> & { readonly count?: number } = {}): StartRunRequest {
    const { count = 2, ...rest } = plan;
    const expDir = join(this.root, 'experiments', `run${this.#runs.size}`);
    this.#runs.add(expDir);
    mkdirSync(this.root, { recursive: true });
    return {
      expDir,
      name: 'test',
      configName: 'train',
      overrides: ['a=1'],
      command: 'accelhydra train a=1',
      configYaml: config,
      resolvedYaml: config,
      hydra: { config, overrides: '- a=1\n' },
      origins: { mode: 'train.yaml' },
      plan: {
        processes: Array.from({ length: count }, (_, rank) => ({
          rank,
          device: 'cpu',
          cudaVisibleDevices: '',
          threads: 1,
        })),
        mixedPrecision: 'no',
        maxRestarts: 0,
        ...rest,
      },
      projectRoot: this.root,
      devices: [],
    };
  }

  track(pid: number): void {
    this.#processes.add(pid);
  }

  /** Process ids of the training processes of a run, once `count` have started. */
  async workers(runDir: string, count: number): Promise<number[]> {
    const file = join(runDir, 'pids');
    const read = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []);
    await until(() => read().length >= count, `${count} training processes`);
    for (const pid of read()) this.track(pid);
    return read();
  }

  /** Fails when a process of the test is still there; ends it, so that one failure stays one. */
  async dispose(): Promise<void> {
    for (const runDir of this.#runs) if (existsSync(join(runDir, 'pids'))) await this.workers(runDir, 1);
    const left = () => [...this.#processes].filter((pid) => isProcessAlive(pid));
    for (let i = 0; i < 60 && left().length > 0; i++) await sleep(50);
    const orphans = left();
    for (const pid of orphans) process.kill(pid, 'SIGKILL');
    this.store.dispose();
    rmSync(this.root, { recursive: true, force: true });
    expect(orphans).toEqual([]);
  }
}

/** Waits for a condition; fails with what was waited for. */
export async function until(condition: () => boolean, what: string, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited ${limitMs} ms for ${what}`);
    await sleep(20);
  }
}
