import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import type { RankAddress } from '../../../engine/distributed/address.ts';
import {
  type CollectiveOptions,
  type ConnectedCollective,
  connectCollective,
} from '../../../engine/distributed/collective.ts';

let folder: string;
let open: ConnectedCollective[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ranks-'));
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((collective) => collective.dispose()));
  rmSync(folder, { recursive: true });
});

function optionsFor(rank: number, worldSize: number, more: Partial<CollectiveOptions> = {}): CollectiveOptions {
  const address: RankAddress = { kind: 'path', path: join(folder, 'ranks.sock') };
  return { rank, worldSize, address, token: 'secret', joinTimeoutMs: 5000, operationTimeoutMs: 5000, ...more };
}

async function group(worldSize: number, more: Partial<CollectiveOptions> = {}): Promise<ConnectedCollective[]> {
  const ranks = Array.from({ length: worldSize }, (_, rank) => rank);
  const joined = await Promise.all(ranks.map((rank) => connectCollective(optionsFor(rank, worldSize, more))));
  open.push(...joined);
  return joined;
}

async function failureOf(work: Promise<unknown>): Promise<EngineError> {
  const result = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(result instanceof EngineError)) throw new Error(`Expected an EngineError, got ${String(result)}`);
  return result;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('operations', () => {
  test.each([
    { id: '1 rank', worldSize: 1, length: 10 },
    { id: '2 ranks', worldSize: 2, length: 100_001 },
    { id: '3 ranks, short', worldSize: 3, length: 5 },
    { id: '3 ranks, divided', worldSize: 3, length: 50_000 },
    { id: '5 ranks, divided, uneven', worldSize: 5, length: 50_003 },
    { id: '4 ranks, nothing', worldSize: 4, length: 0 },
  ])('allReduce gives every rank the same bits: $id', async ({ worldSize, length }) => {
    const ranks = await group(worldSize);
    const inputs = ranks.map(({ rank }) => Float32Array.from({ length }, (_, i) => Math.sin(rank * 7 + i) / 3));
    const expected = Float32Array.from(
      { length },
      (_, i) => inputs.reduce((sum, values) => sum + (values[i] ?? 0), 0) / worldSize,
    );
    const outputs = inputs.map((values) => values.slice());
    await Promise.all(ranks.map((collective, i) => collective.allReduce(outputs[i] ?? new Float32Array(), 'mean')));
    for (const output of outputs) expect(output).toEqual(worldSize === 1 ? inputs[0] : expected);
  });

  test('broadcast, allGather and barrier, calls in flight together keep their order', async () => {
    const ranks = await group(3);
    const results = await Promise.all(
      ranks.map(async (collective) => {
        const values = Float32Array.of(collective.rank, collective.rank);
        const other = Float32Array.of(1);
        const [, gathered] = await Promise.all([
          collective.broadcast(values.subarray(1)),
          collective.allGather({ rank: collective.rank, loss: Number.NaN }),
          collective.allReduce(other, 'sum'),
          collective.barrier(),
        ]);
        return { values: [...values], gathered, sum: other[0] };
      }),
    );
    const gathered = [0, 1, 2].map((rank) => ({ rank, loss: Number.NaN }));
    expect(results).toEqual([0, 1, 2].map((rank) => ({ values: [rank, 0], gathered, sum: 3 })));
  });

  test('a rank that is many operations ahead is held back, not lost', async () => {
    const [first, second] = await group(2);
    const sent = Promise.all(Array.from({ length: 200 }, (_, i) => first?.broadcast(Float32Array.of(i))));
    await sleep(50);
    const values = Float32Array.of(-1);
    for (let i = 0; i < 200; i++) {
      await second?.broadcast(values);
      expect(values[0]).toBe(i);
    }
    await sent;
  });

  test('works over a TCP port, with more than two ranks', async () => {
    const address: RankAddress = { kind: 'tcp', host: '127.0.0.1', port: await freePort() };
    const ranks = await group(3, { address });
    expect(await Promise.all(ranks.map((collective) => collective.allGather(collective.rank)))).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  test('leaves no socket file behind', async () => {
    await group(3);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('failures', () => {
  test('different operations name both ranks and both calls', async () => {
    const [first, second] = await group(2);
    const values = new Float32Array(4);
    const failures = await Promise.all([
      failureOf(first?.allReduce(values, 'mean') ?? Promise.resolve()),
      failureOf(second?.barrier() ?? Promise.resolve()),
    ]);
    for (const failure of failures) expect(failure.code).toBe('distributed.mismatch');
    expect(failures[0]?.message).toMatch(/Rank 1 called barrier while rank 0 called allReduce mean of 4 values/);
  });

  test('a broadcast against a reduction is found on the next meeting', async () => {
    const [first, second] = await group(2);
    const late = (async () => {
      await first?.broadcast(new Float32Array(4));
      await first?.barrier();
    })();
    const failures = await Promise.all([
      failureOf(late),
      failureOf(second?.allReduce(new Float32Array(4), 'sum') ?? Promise.resolve()),
    ]);
    expect(failures.map((failure) => failure.code)).toEqual(['distributed.mismatch', 'distributed.mismatch']);
    expect(failures[1]?.message).toMatch(/Rank [01] called (broadcast|allReduce).* while rank [01] called/);
  });

  test('different lengths are a mismatch', async () => {
    const [first, second] = await group(2);
    const failures = await Promise.all([
      failureOf(first?.allReduce(new Float32Array(3), 'sum') ?? Promise.resolve()),
      failureOf(second?.allReduce(new Float32Array(4), 'sum') ?? Promise.resolve()),
    ]);
    expect(failures[0]?.message).toContain('allReduce sum of 4 values while rank 0 called allReduce sum of 3 values');
  });

  test('a rank that does not come is named, and the group stays broken', async () => {
    const ranks = await group(3, { operationTimeoutMs: 100 });
    const failures = await Promise.all(ranks.slice(0, 2).map((collective) => failureOf(collective.barrier())));
    expect(failures.map((failure) => failure.code)).toContain('distributed.timeout');
    const timeout = failures.find((failure) => failure.code === 'distributed.timeout');
    expect(timeout?.details).toMatchObject({ absent: [2] });
    expect((await failureOf(ranks[0]?.barrier() ?? Promise.resolve())).code).toBe('distributed.timeout');
  });

  test('a rank that has finished or is gone is named', async () => {
    const [first, second] = await group(2);
    const waiting = failureOf(first?.allReduce(new Float32Array(2), 'sum') ?? Promise.resolve());
    await second?.dispose();
    const failure = await waiting;
    expect(failure.code).toBe('distributed.peer-left');
    expect(failure.message).toMatch(/Rank 1 has finished.*Rank 0 was in allReduce sum of 2 values \(operation 1\)/);
  });
});

describe('joining', () => {
  test('names the ranks that are missing', async () => {
    const failure = await failureOf(connectCollective(optionsFor(0, 3, { joinTimeoutMs: 60 })));
    expect(failure.code).toBe('distributed.join-timeout');
    expect(failure.message).toContain('rank 1, rank 2 did not join');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a taken port is said to be taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const failure = await failureOf(
      connectCollective(optionsFor(0, 2, { address: { kind: 'tcp', host: '127.0.0.1', port } })),
    );
    await new Promise((resolve) => server.close(resolve));
    expect(failure).toMatchObject({ code: 'distributed.port-taken', details: { port } });
  });

  test('a process of another run is turned away and the ranks go on', async () => {
    const path = join(folder, 'ranks.sock');
    const first = connectCollective(optionsFor(0, 2));
    await expect.poll(() => existsSync(path)).toBe(true);
    const noise = connect(path, () => noise.write('hello there, is this a web server? anybody?'));
    await new Promise((resolve) => noise.once('close', resolve));
    const stranger = failureOf(connectCollective(optionsFor(1, 2, { token: 'other' })));
    expect((await stranger).code).toBe('distributed.peer-lost');
    open.push(...(await Promise.all([first, connectCollective(optionsFor(1, 2))])));
    expect(open.length).toBe(2);
  });

  test('processes that disagree about their number are told', async () => {
    const first = failureOf(connectCollective(optionsFor(0, 3)));
    const second = failureOf(connectCollective(optionsFor(1, 2)));
    for (const failure of await Promise.all([first, second])) {
      expect(failure).toMatchObject({ code: 'distributed.refused' });
      expect(failure.message).toContain('started for 2 processes, but this run has 3');
    }
  });
});
