import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Benchmark, milliseconds } from './benchmark.ts';

const bootstrap = join(import.meta.dirname, '..', '..', 'engine', 'setup', 'bootstrap.mjs');
const node = (...args: string[]): Promise<number> =>
  milliseconds(() => {
    const { status, stderr } = spawnSync(process.execPath, args);
    if (status !== 0) throw new Error(`node ${args.join(' ')} failed: ${stderr}`);
  });

/** What set-up costs when there is nothing to do, against starting Node at all. */
export const benchmarks: readonly Benchmark[] = [
  {
    name: 'setup-second',
    metric: 'second set-up against an empty Node process',
    unit: 'ms',
    rounds: 9,
    prepare: () => ({ ours: () => node(bootstrap, '--quiet'), peer: () => node('-e', '0') }),
  },
];
