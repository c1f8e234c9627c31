import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createRunId, isRunId } from '../../../engine/runs/runId.ts';
import { RunStore } from '../../../engine/runs/runStore.ts';
import { migrations } from '../../../engine/runs/schema.ts';
import { describeRun, summarizeRun } from '../../../engine/runs/summary.ts';
import { newRun, openStore, points, temporaryFolder } from './support.ts';

test('run ids sort by time and have their shape', () => {
  const ids = [5, 36, 999, 1000, 86_400_000].map((time) => createRunId(time, (n) => new Uint8Array(n)));
  expect(ids).toEqual([...ids].sort());
  expect(ids.every(isRunId)).toBe(true);
  expect(ids[2]).toBe('19700101-000000-z7000');
});

test('a store newer than the app is refused and left alone', () => {
  const file = join(temporaryFolder(), 'store.db');
  openStore(file).dispose();
  const raw = new Sqlite(file);
  raw.pragma(`user_version = ${migrations.length + 1}`);
  raw.close();
  expect(() => RunStore.open(file)).toThrow(
    expect.objectContaining({ code: 'runs.store-newer', message: expect.stringContaining(file) }),
  );
});

test('a locked store says which file after the busy time', () => {
  const file = join(temporaryFolder(), 'store.db');
  const store = openStore(file);
  const other = new Sqlite(file);
  other.exec('BEGIN IMMEDIATE');
  expect(() => store.runs.create(newRun(temporaryFolder()))).toThrow(
    expect.objectContaining({ code: 'runs.store-locked', message: expect.stringContaining(file) }),
  );
  other.close();
  store.runs.create(newRun(temporaryFolder()));
  expect(store.runs.list().total).toBe(1);
});

test.each([
  {
    id: 'no SQLite file',
    code: 'runs.store-corrupt',
    prepare: (file: string) => writeFileSync(file, 'x'.repeat(5000)),
  },
  { id: 'a folder', code: 'runs.store-unwritable', prepare: (file: string) => mkdirSync(file) },
])('opening $id fails clearly', ({ code, prepare }) => {
  const file = join(temporaryFolder(), 'store.db');
  prepare(file);
  expect(() => RunStore.open(file)).toThrow(expect.objectContaining({ code }));
});

test('two openings of one store see each other', () => {
  const file = join(temporaryFolder(), 'deep', 'store.db');
  const [writer, reader] = [openStore(file), openStore(file)];
  writer.runs.create(newRun(temporaryFolder()));
  expect(reader.runs.list().runs.map((run) => run.name)).toEqual(['digits']);
});

test('a run keeps everything it was given', () => {
  const store = openStore();
  const folder = temporaryFolder();
  const run = newRun(folder, {
    git: { commit: 'abc', dirty: true, branch: 'main' },
    resolvedYaml: 'epochs: 3\n',
    launcherPid: 7,
    monitor: { key: 'val/loss', mode: 'min' },
  });
  store.runs.create(run);
  store.runs.update(run.id, {
    status: 'failed',
    startedAt: 1,
    endedAt: 2,
    error: 'NaN',
    tags: ['a'],
    notes: 'first',
    hyperparameters: { lr: 0.1, limit: Number.POSITIVE_INFINITY },
  });
  expect(store.runs.get(run.id)).toEqual({
    ...run,
    status: 'failed',
    startedAt: 1,
    endedAt: 2,
    error: 'NaN',
    tags: ['a'],
    notes: 'first',
    hyperparameters: { lr: 0.1, limit: Number.POSITIVE_INFINITY },
    progress: undefined,
  });
  store.runs.update(run.id, { endedAt: undefined, error: undefined });
  expect(store.runs.get(run.id)).toMatchObject({ endedAt: undefined, error: undefined, notes: 'first' });
});

test('listing filters, searches and pages, newest first', () => {
  const store = openStore();
  const folder = temporaryFolder();
  for (let index = 0; index < 5; index++) {
    store.runs.create(
      newRun(folder, { id: `run-${index}`, name: `Net ${index}`, createdAt: index, overrides: [`lr=${index}`] }),
    );
  }
  store.runs.update('run-1', { status: 'completed', notes: 'Good one' });
  const ids = (query: Parameters<typeof store.runs.list>[0]) => store.runs.list(query).runs.map((run) => run.id);
  expect(ids({})).toEqual(['run-4', 'run-3', 'run-2', 'run-1', 'run-0']);
  expect(ids({ statuses: ['completed'] })).toEqual(['run-1']);
  expect(ids({ statuses: [] })).toEqual([]);
  expect(ids({ search: 'net lr=3' })).toEqual(['run-3']);
  expect(ids({ search: 'good' })).toEqual(['run-1']);
  expect(ids({ search: "x'); DROP TABLE runs;--" })).toEqual([]);
  expect(store.runs.list({ limit: 2, offset: 1 })).toMatchObject({
    total: 5,
    runs: [{ id: 'run-3' }, { id: 'run-2' }],
  });
});

test('a run is looked up the ways a person names it', () => {
  const store = openStore();
  const folder = temporaryFolder();
  store.runs.create(newRun(folder, { id: '20260101-000000-aaaaa', name: 'old', createdAt: 1 }));
  store.runs.create(newRun(`${folder}/b`, { id: '20260102-000000-bbbbb', name: 'new', createdAt: 2 }));
  const id = (text: string) => store.runs.lookUp(text).id;
  expect([id('last'), id('old'), id('20260101'), id(folder), id(`${relative('.', folder)}/`)]).toEqual([
    '20260102-000000-bbbbb',
    '20260101-000000-aaaaa',
    '20260101-000000-aaaaa',
    '20260101-000000-aaaaa',
    '20260101-000000-aaaaa',
  ]);
  expect(() => id('2026')).toThrow(expect.objectContaining({ code: 'runs.ambiguous' }));
  expect(() => id('nww')).toThrow(/Did you mean 'new'\?/);
  expect(() => id('')).toThrow(expect.objectContaining({ code: 'runs.not-found' }));
});

test('removing a run removes its points and checkpoints', () => {
  const store = openStore();
  const run = newRun(temporaryFolder());
  store.runs.create(run);
  store.metrics.append(run.id, points('loss', [1, 2]));
  store.checkpoints.save(run.id, {
    kind: 'best',
    path: 'checkpoints/best',
    step: 1,
    epoch: 0,
    bytes: 3,
    metrics: { loss: Number.NaN },
    time: 9,
  });
  expect(store.checkpoints.list(run.id, run.expDir)).toMatchObject([
    { name: 'best', missing: true, metrics: { loss: Number.NaN } },
  ]);
  store.runs.remove(run.id);
  expect(store.metrics.keys(run.id)).toEqual([]);
  expect(store.checkpoints.list(run.id, run.expDir)).toEqual([]);
  expect(() => store.runs.remove(run.id)).toThrow(expect.objectContaining({ code: 'runs.not-found' }));
  expect(() => store.metrics.append(run.id, points('loss', [1]))).toThrow(
    expect.objectContaining({ code: 'runs.not-found' }),
  );
});

test('a summary carries the monitored metric and notices a missing folder', () => {
  const store = openStore();
  const folder = join(temporaryFolder(), 'exp');
  const run = newRun(folder, { monitor: { key: 'acc', mode: 'max' } });
  store.runs.create(run);
  store.metrics.append(run.id, points('acc', [0.5, 0.9, 0.7]));
  const summary = () => summarizeRun(store, store.runs.get(run.id));
  expect(summary()).toMatchObject({
    folderMissing: false,
    monitor: { key: 'acc', mode: 'max', last: 0.7, best: 0.9 },
    lastMetrics: { acc: 0.7 },
  });
  rmSync(folder, { recursive: true });
  expect(summary().folderMissing).toBe(true);
  expect(describeRun(store, store.runs.get(run.id))).toMatchObject({ logFiles: [], configYaml: 'epochs: 3\n' });
});
