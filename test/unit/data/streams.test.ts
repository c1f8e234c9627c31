import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import {
  DataLoader,
  disposeBatch,
  IterableDataset,
  ListDataset,
  type PassOptions,
  type StreamState,
} from '../../../engine/data/index.ts';
import { asLoader } from '../../../engine/data/loader/asLoader.ts';
import { WalkReport } from '../../../engine/data/loader/walkReport.ts';
import { type ShuffledOptions, shuffledStream } from '../../fixtures/data/shuffledStream.ts';

const module = pathToFileURL(join(import.meta.dirname, '../../fixtures/data/shuffledStream.ts')).href;
const loaders: DataLoader[] = [];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterEach(async () => {
  for (const loader of loaders.splice(0)) await loader.dispose();
});

interface Seen {
  readonly values: unknown;
  readonly state: StreamState | undefined;
}

function loaderOf(options: ShuffledOptions, num_workers = 0, more: object = {}) {
  const dataset = shuffledStream(options);
  const worker_recipe = { module, export: 'shuffledStream', argument: options };
  const loader = new DataLoader({ dataset, batch_size: 3, num_workers, seed: 5, worker_recipe, ...more });
  const notes: string[] = [];
  loader.setNoteSink((text) => notes.push(text));
  loaders.push(loader);
  return { loader, dataset, notes };
}

async function read(loader: DataLoader, options: Omit<PassOptions, 'pass'> = {}, most = Infinity): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { batch, index, real, stream } of loader.pass({ pass: 1, captures: true, ...options })) {
    const [points, sides] = batch as [tf.Tensor, tf.Tensor];
    // as it comes back from a checkpoint
    const state = stream === undefined ? undefined : JSON.parse(JSON.stringify(stream));
    seen.push({ values: [index, real, points.arraySync(), sides.arraySync()], state });
    disposeBatch(batch);
    if (seen.length >= most) break;
  }
  return seen;
}

const values = (seen: readonly Seen[]) => seen.map((item) => item.values);

test.each([
  { id: 'its iterator', holder: 'iterator', canShard: false, hasLength: false },
  { id: 'the dataset', holder: 'dataset', canShard: false, hasLength: true },
  { id: 'its iterator, a share for each', holder: 'iterator', canShard: true, hasLength: true },
] as const)('a stream whose place $id tells goes on after any batch, reading nothing again', async (row) => {
  const options = { total: 29, ...row };
  const workers = loaderOf(options, 2);
  for (const [rank, worldSize] of [
    [0, 1],
    [1, 2],
  ] as const) {
    const shard = { rank, worldSize, mode: 'wrap' } as const;
    const whole = await read(loaderOf({ ...options, holder: 'nobody', canShard: false }).loader, { shard });
    const threaded = await read(workers.loader, { shard });
    const plain = await read(loaderOf(options).loader, { shard });
    expect(values(plain)).toEqual(values(whole));
    expect(values(threaded)).toEqual(values(whole));
    for (const start of [1, 2, whole.length - 1]) {
      const { loader, dataset, notes } = loaderOf(options);
      const rest = await read(loader, { shard, start, stream: plain[start - 1]?.state });
      expect(values(rest)).toEqual(values(whole.slice(start)));
      // the first samples are read again where they fill the last batch
      expect(dataset.drawn).toBeLessThanOrEqual(29 - start * 3 * worldSize + (worldSize > 1 ? 6 : 0) + 3 * worldSize);
      expect(notes).toEqual([]);
      const stream = threaded[start - 1]?.state;
      expect(values(await read(workers.loader, { shard, start, stream }))).toEqual(values(whole.slice(start)));
      expect(workers.notes).toEqual([]);
    }
  }
});

test('whoever goes through all of it can go on from what another number of processes and workers left', async () => {
  const options = { total: 40, holder: 'dataset' } as const;
  const two = { rank: 1, worldSize: 2, mode: 'wrap' } as const;
  const state = (await read(loaderOf(options, 2).loader, { shard: two }, 3)).at(-1)?.state;
  const { loader, dataset } = loaderOf(options);
  // three batches of three on two processes are six on one
  const rest = await read(loader, { start: 6, stream: state });
  expect(values(rest)).toEqual(values(await read(loaderOf(options).loader)).slice(6));
  expect(dataset.drawn).toBe(40 - 18);
});

test('of shares the state is of use to the same readers only; others are told and read from the beginning', async () => {
  const options = { total: 29, holder: 'iterator', canShard: true, hasLength: true } as const;
  const whole = await read(loaderOf(options).loader);
  const { loader, notes } = loaderOf(options, 2);
  expect(values(await read(loader, { start: 4, stream: whole[3]?.state }))).toEqual(values(whole.slice(4)));
  expect(notes.join('\n')).toMatch(
    /place in the stream ShuffledStream is not used: it is that of batches of 3, 1 processes, 1 workers; now there are batches of 3, 1 processes, 2 workers\.\nThe stream ShuffledStream is read again up to batch 4, where this goes on/,
  );
});

test('taken now and then only, a state leads to the batch after it, and from there the stream is read', async () => {
  const options = { total: 40, holder: 'iterator' } as const;
  const seen = await read(loaderOf(options, 0, { snapshot_every_n_steps: 4 }).loader);
  expect(seen.map(({ state }) => state?.readers[0]?.next)).toEqual([
    ...[undefined, undefined, undefined],
    ...[4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12],
  ]);
  const { loader, dataset } = loaderOf(options);
  expect(values(await read(loader, { start: 6, stream: seen[5]?.state }))).toEqual(values(seen.slice(6)));
  expect(dataset.drawn).toBe(40 - 12);
});

test('a pass that nobody will resume takes no states', async () => {
  expect((await read(loaderOf({ total: 9, holder: 'iterator' }).loader, { captures: false }))[0]?.state).toBe(
    undefined,
  );
});

class Told extends IterableDataset<number> {
  readonly #state: unknown;

  constructor(state: unknown) {
    super();
    this.#state = state;
  }

  *samples(): Iterable<number> {
    for (let i = 0; i < 9; i++) yield i;
  }

  state_dict(): unknown {
    return this.#state;
  }

  load_state_dict(): void {
    throw new RangeError('offset 7 lies behind the end of the file');
  }
}

class Other extends Told {}

class Half extends IterableDataset<number> {
  *samples(): Iterable<number> {
    yield 1;
  }

  state_dict(): object {
    return {};
  }
}

test.each([
  {
    id: 'a field that JSON cannot hold',
    dataset: new Told({ offset: 1, buffer: [{ seen: new Float32Array(2) }] }),
    says: "The state of Told cannot be saved: its field 'buffer.0.seen' is an instance of Float32Array, which a checkpoint cannot hold",
  },
  { id: 'a promise', dataset: new Told(Promise.resolve({})), says: 'its value is a promise' },
  { id: 'no state at all', dataset: new Told(undefined), says: 'its value is undefined' },
  { id: 'half of the protocol', dataset: new Half(), says: 'Half has state_dict() but no load_state_dict()' },
])('$id is refused with the first batch', async ({ dataset, says }) => {
  const reading = new DataLoader({ dataset, batch_size: 3 }).pass({ pass: 0, captures: true }).next();
  await expect(reading).rejects.toMatchObject({ code: 'data.stream.state', message: expect.stringContaining(says) });
});

test.each([
  {
    id: 'of a stream of another class',
    dataset: new Other({}),
    says: 'in a stream of class Told, but the training loader reads a Other',
  },
  {
    id: 'for samples by number',
    dataset: new ListDataset({ samples: [1, 2, 3, 4, 5, 6] }),
    says: 'reads a ListDataset',
  },
  {
    id: 'that the dataset does not take',
    dataset: new Told({}),
    says: 'load_state_dict refused it: offset 7 lies behind the end of the file. Go on with the code and data',
  },
])('a state $id is refused', async ({ dataset, says }) => {
  const from = new DataLoader({ dataset: new Told({ offset: 7 }), batch_size: 3 });
  const { value } = await from.pass({ pass: 0, captures: true }).next();
  const loader = new DataLoader({ dataset, batch_size: 3 });
  const reading = (async () => loader.pass({ pass: 0, start: 1, stream: value?.stream }).next())();
  await expect(reading).rejects.toMatchObject({ code: 'data.stream.resume', message: expect.stringContaining(says) });
});

test('a stream that is read again from its beginning tells how far it is', async () => {
  for (const workers of [0, 2]) {
    const { loader, notes } = loaderOf({ total: 40, holder: 'nobody' }, workers);
    await read(loader, { start: 9 });
    expect(notes).toEqual([
      'The stream ShuffledStream is read again up to batch 9, where this goes on: it has neither state_dict and load_state_dict nor canSkip.',
    ]);
  }
  const [told, clock] = [[] as string[], { at: 0, now: () => clock.at }];
  const walk = new WalkReport('The stream Lines', 'it cannot skip', (text) => told.push(text), clock);
  for (let batch = 1; batch <= 30; batch++, clock.at += 1000) walk.passed(batch, 100);
  expect(told.slice(1)).toEqual([
    'The stream Lines is read again: batch 11 of 100.',
    'The stream Lines is read again: batch 21 of 100.',
  ]);
});

test("a project's own loader is walked to where a training goes on, and leaves nothing behind", async () => {
  class OwnLoader {
    *[Symbol.iterator](): Iterator<tf.Tensor> {
      for (let i = 0; i < 11; i++) yield tf.tensor1d([i]);
    }
  }
  const loader = asLoader(new OwnLoader(), 'train_dataloader');
  const told: string[] = [];
  loader.setNoteSink?.((text) => told.push(text));
  const before = tf.memory().numTensors;
  const seen: unknown[] = [];
  for (const mode of ['wrap', 'exact'] as const) {
    const shard = { rank: 1, worldSize: 2, mode };
    for await (const { batch, index, real } of loader.pass({ pass: 0, start: 3, shard })) {
      seen.push([index, batch instanceof tf.Tensor && batch.dataSync()[0], real]);
      disposeBatch(batch);
    }
  }
  expect(seen).toEqual([
    ...[
      [3, 7, 1],
      [4, 9, 1],
    ],
    // the last one is rank 0's: this rank only keeps in step
    ...[
      [3, 7, 1],
      [4, 9, 1],
      [5, 10, 0],
    ],
  ]);
  expect(tf.memory().numTensors).toBe(before);
  expect(told[0]).toBe(
    'The loader OwnLoader is read again up to batch 3, where this goes on: a loader that is no DataLoader can only be walked.',
  );
});
