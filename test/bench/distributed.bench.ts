import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectCollective } from '../../engine/distributed/index.ts';
import { type Benchmark, type Contest, median, milliseconds } from './benchmark.ts';
import { exchange } from './exchange.ts';

const timesPerRound = 30;

/** A mean over two processes, against sending the same bytes both ways over a socket and doing nothing with them. */
function allReduce(name: string, length: number): Benchmark {
  return {
    name,
    metric: `mean of ${length.toLocaleString('en')} floats over 2 processes`,
    unit: 'ms',
    rounds: 7,
    prepare: () => prepare(length),
  };
}

export const benchmarks: readonly Benchmark[] = [
  allReduce('all-reduce-1m', 1_000_000),
  allReduce('all-reduce-20k', 20_000),
];

async function prepare(length: number): Promise<Contest> {
  const folder = mkdtempSync(join(tmpdir(), 'all-reduce-'));
  const [ranksPath, barePath] = [join(folder, 'ranks'), join(folder, 'bare')];
  const server = createServer().listen(barePath);
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const module = join(import.meta.dirname, '..', 'fixtures', 'distributed', 'benchRank.ts');
  const child = fork(module, [ranksPath, barePath, String(length)]);
  const ranks = await connectCollective({
    rank: 0,
    worldSize: 2,
    address: { kind: 'path', path: ranksPath },
    token: 'bench',
  });
  const bare = await connected;
  const values = new Float32Array(length).fill(1);
  const measured = async (type: 'ours' | 'peer', once: () => Promise<void>) => {
    child.send({ type, times: timesPerRound });
    const times: number[] = [];
    for (let i = 0; i < timesPerRound; i++) times.push(await milliseconds(once));
    return median(times);
  };
  return {
    ours: () => measured('ours', () => ranks.allReduce(values, 'mean')),
    peer: () => measured('peer', () => exchange(bare, values)),
    dispose: () => {
      child.disconnect();
      bare.destroy();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
