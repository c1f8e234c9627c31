import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunStore } from '../../engine/runs/runStore.ts';
import { type Benchmark, milliseconds } from './benchmark.ts';

const steps = 1_000_000;

/** What a chart asks of a long run, against bringing every point to JavaScript. */
export const benchmarks: readonly Benchmark[] = [
  {
    name: 'metric-series',
    metric: `a chart's 1000 buckets of ${steps.toLocaleString('en')} points, against all points`,
    unit: 'ms',
    prepare: () => {
      const folder = mkdtempSync(join(tmpdir(), 'runs-bench-'));
      const store = RunStore.open(join(folder, 'store.db'), { busyTimeoutMs: 1000 });
      const runId = '20260102-030405-00abc';
      store.runs.create({
        id: runId,
        name: 'long',
        expDir: folder,
        configName: 'train',
        overrides: [],
        command: 'accelhydra train',
        configYaml: '{}\n',
        createdAt: 0,
        processes: 1,
        devices: ['cpu'],
        host: 'here',
        user: 'someone',
        environment: {},
      });
      store.metrics.append(
        runId,
        Array.from({ length: steps }, (_, step) => ({
          key: 'loss',
          step,
          epoch: 0,
          time: step,
          value: Math.sin(step),
        })),
      );
      const read = (maxPoints: number) => milliseconds(() => store.metrics.series({ runId, key: 'loss', maxPoints }));
      return {
        ours: () => read(1000),
        peer: () => read(steps),
        dispose: () => {
          store.dispose();
          rmSync(folder, { recursive: true });
        },
      };
    },
  },
];
