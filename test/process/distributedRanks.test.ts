import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

interface Rank {
  readonly child: ChildProcess;
  readonly joined: Promise<void>;
  /** The last thing that the rank said. */
  readonly result: Promise<unknown>;
}

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ranks-'));
  children = [];
});

afterEach(() => {
  const left = children.filter((child) => child.exitCode === null && child.signalCode === null);
  for (const child of left) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
  expect(left.map((child) => child.pid)).toEqual([]);
});

function startRank(rank: number, worldSize: number, address: string, length: number, rounds: number): Rank {
  const module = fileURLToPath(new URL('../fixtures/distributed/rank.ts', import.meta.url));
  const child = fork(module, [rank, worldSize, address, length, rounds].map(String), { execArgv: [] });
  children.push(child);
  const joined = new Promise<void>((resolve) => child.once('message', () => resolve()));
  const result = new Promise<unknown>((resolve) => {
    let last: unknown;
    child.on('message', (message) => {
      last = message;
    });
    child.once('exit', () => resolve(last));
  });
  return { child, joined, result };
}

function startAll(worldSize: number, length: number, rounds: number, address = `unix:${join(folder, 's')}`): Rank[] {
  return Array.from({ length: worldSize }, (_, rank) => startRank(rank, worldSize, address, length, rounds));
}

describe('ranks in processes of their own', () => {
  test.each([
    { worldSize: 2, length: 300_000 },
    { worldSize: 3, length: 40_001 },
  ])('$worldSize ranks end with the same bits', async ({ worldSize, length }) => {
    const results = await Promise.all(startAll(worldSize, length, 3).map((rank) => rank.result));
    const ranks = Array.from({ length: worldSize }, (_, rank) => rank);
    const mean = ranks.reduce((sum, rank) => sum + Math.fround(Math.sin(rank * 31) * 1e3), 0) / worldSize;
    for (const result of results) expect(result).toEqual(results[0]);
    expect(results[0]).toMatchObject({ digest: expect.any(Number), first: expect.closeTo(mean, 3) });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a rank that is killed is named by the others at once', async () => {
    const ranks = startAll(3, 1000, 1_000_000);
    await Promise.all(ranks.map((rank) => rank.joined));
    const began = Date.now();
    ranks[2]?.child.kill('SIGKILL');
    const results = await Promise.all(ranks.slice(0, 2).map((rank) => rank.result));
    expect(Date.now() - began).toBeLessThan(5000);
    for (const result of results) {
      expect(result).toMatchObject({
        code: 'distributed.peer-lost',
        message: expect.stringMatching(
          /^Rank 2 is gone.*logs\/rank2\.log.*Rank [01] was in allReduce mean of 1000 values/,
        ),
      });
    }
    await ranks[2]?.result;
  });

  test('a taken port ends rank 0 with a clear word', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const results = await Promise.all(startAll(2, 1, 1, `127.0.0.1:${port}`).map((rank) => rank.result));
    await new Promise((resolve) => server.close(resolve));
    expect(results[0]).toMatchObject({
      code: 'distributed.port-taken',
      message: expect.stringContaining(String(port)),
    });
    expect(results[1]).toMatchObject({ code: 'distributed.peer-lost' });
  });
});
