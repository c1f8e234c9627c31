import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { listLogFiles, readLogChunk } from '../../../engine/runs/logFiles.ts';
import { checkpointsIn, rebuildStore, scanCheckpoints, syncCheckpoints } from '../../../engine/runs/rebuild.ts';
import { readRunFile, updateRunFile } from '../../../engine/runs/runFolder.ts';
import { createRun, RunRecorder } from '../../../engine/runs/runRecorder.ts';
import { newRun, openStore, points, temporaryFolder } from './support.ts';

function writeCheckpoint(expDir: string, name: string, manifest: Record<string, unknown>): void {
  const folder = join(expDir, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'model.safetensors'), 'x'.repeat(100));
}

test('a store that was lost is rebuilt from the folders', () => {
  const project = temporaryFolder();
  const expDir = join(project, 'experiments', 'a');
  const run = newRun(expDir, { monitor: { key: 'loss', mode: 'min' }, git: { commit: 'c', dirty: false } });
  const first = openStore(join(project, 'first.db'));
  createRun(first, run, { hydra: { overrides: '- epochs=3\n' }, origins: {} });
  const recorder = new RunRecorder(first, run.id, expDir);
  recorder.update({ status: 'running', startedAt: 5 });
  recorder.appendMetrics(points('loss', [3, Number.NaN, 2, 1]));
  recorder.truncate(2);
  recorder.appendMetrics(points('loss', [0.5], 3));
  recorder.update({ status: 'completed', endedAt: 9, hyperparameters: { lr: 1 }, notes: 'n', tags: ['t'] });
  recorder.dispose();
  writeCheckpoint(expDir, 'checkpoints/epoch_1', { step: 10, epoch: 1, metrics: { loss: 2 }, time: 4, kind: 'epoch' });
  writeCheckpoint(expDir, 'ckpt_step_5', { step: 5, epoch: 0 });
  syncCheckpoints(first, run.id, expDir);

  const second = openStore(join(project, 'second.db'));
  expect(rebuildStore(second, project)).toEqual({ added: [run.id], missing: [], problems: [] });
  expect(second.runs.get(run.id)).toEqual(first.runs.get(run.id));
  expect(second.metrics.keys(run.id)).toEqual(first.metrics.keys(run.id));
  const series = (store: typeof first) => store.metrics.series({ runId: run.id, key: 'loss', maxPoints: 10 });
  expect([...series(second).value]).toEqual([3, Number.NaN, 2, 0.5]);
  expect(series(second)).toEqual(series(first));
  expect(second.checkpoints.list(run.id, expDir)).toEqual(first.checkpoints.list(run.id, expDir));
  expect(second.checkpoints.list(run.id, expDir)).toMatchObject([
    { path: 'checkpoints/epoch_1', kind: 'epoch', step: 10, missing: false },
    { path: 'ckpt_step_5', kind: 'permanent', step: 5, missing: false },
  ]);
  expect(rebuildStore(second, project).added).toEqual([]);
  rmSync(expDir, { recursive: true });
  expect(rebuildStore(second, project)).toMatchObject({ added: [], missing: [run.id] });
});

test('a checkpoint that is being written is none yet', () => {
  const expDir = join(temporaryFolder(), 'a');
  newRun(expDir);
  for (const name of ['best', '.best.tmp-5201-2'])
    writeCheckpoint(expDir, `checkpoints/${name}`, { step: 10, epoch: 1, kind: 'best' });
  expect(scanCheckpoints(expDir).map(({ path }) => path)).toEqual(['checkpoints/best']);
  expect(checkpointsIn(join(expDir, 'checkpoints')).map(({ path }) => path)).toEqual(['best']);
});

test('a damaged or foreign folder does not stop the scan', () => {
  const project = temporaryFolder();
  const folder = (name: string) => {
    mkdirSync(join(project, name), { recursive: true });
    return join(project, name);
  };
  writeFileSync(join(folder('damaged'), 'run.json'), '{"version":1');
  writeFileSync(join(folder('older'), 'config.yaml'), 'a: 1\n');
  writeFileSync(join(folder('older'), 'environment.json'), 'not json');
  writeFileSync(join(folder('no-run'), 'config.yaml'), 'a: 1\n');
  const store = openStore();
  const report = rebuildStore(store, project);
  expect(report.problems).toMatchObject([{ folder: join(project, 'damaged') }]);
  expect(store.runs.list().runs).toMatchObject([{ name: 'older', status: 'lost', configYaml: 'a: 1\n' }]);
});

test('a torn last line of the journal is passed over', () => {
  const project = temporaryFolder();
  const run = newRun(join(project, 'a'));
  const first = openStore();
  createRun(first, run);
  const recorder = new RunRecorder(first, run.id, run.expDir);
  recorder.appendMetrics(points('loss', [3, 2]));
  recorder.dispose();
  appendFileSync(join(run.expDir, 'metrics', 'metrics.jsonl'), '{"key":"loss","step":2,"ep');
  const second = openStore();
  rebuildStore(second, project);
  expect(second.metrics.keys(run.id)).toMatchObject([{ points: 2, lastValue: 2 }]);
});

test('a locked store does not stop a training, and gets everything later', () => {
  const project = temporaryFolder();
  const file = join(project, 'store.db');
  const store = openStore(file);
  const run = newRun(join(project, 'a'));
  createRun(store, run);
  const troubles: (string | undefined)[] = [];
  const recorder = new RunRecorder(store, run.id, run.expDir, {
    onStoreTrouble: (problem) => troubles.push(problem?.code),
  });
  const other = new Sqlite(file);
  other.exec('BEGIN IMMEDIATE');
  recorder.appendMetrics(points('loss', [3]));
  recorder.update({ status: 'running' });
  expect(store.metrics.keys(run.id)).toEqual([]);
  expect(readRunFile(run.expDir)?.status).toBe('running');
  other.close();
  recorder.appendMetrics(points('loss', [2], 1));
  recorder.dispose();
  expect(troubles).toEqual(['runs.store-locked', undefined]);
  expect(store.metrics.keys(run.id)).toMatchObject([{ points: 2 }]);
  expect(store.runs.get(run.id).status).toBe('running');
});

test('a run removed while it writes stays removed', () => {
  const store = openStore();
  const run = newRun(join(temporaryFolder(), 'a'));
  createRun(store, run);
  const recorder = new RunRecorder(store, run.id, run.expDir);
  store.runs.remove(run.id);
  recorder.appendMetrics(points('loss', [1]));
  recorder.update({ status: 'completed' });
  recorder.dispose();
  expect(store.runs.list().total).toBe(0);
});

test('updating the record of a folder that has gone does nothing', () => {
  const folder = join(temporaryFolder(), 'gone');
  updateRunFile(folder, { status: 'lost' });
  expect(readRunFile(folder)).toBeUndefined();
});

test('logs are read in pieces that join without damage', () => {
  const expDir = temporaryFolder();
  mkdirSync(join(expDir, 'logs'));
  const text = 'Verlust 0,5 – Größe 🙂 ende\n'.repeat(7);
  writeFileSync(join(expDir, 'logs', 'rank0.log'), text);
  expect(listLogFiles(expDir)).toEqual([{ file: 'rank0.log', bytes: Buffer.byteLength(text) }]);
  for (const maxBytes of [5, 7, 64, 1000]) {
    let joined = '';
    let start = 0;
    for (;;) {
      const chunk = readLogChunk(expDir, 'rank0.log', start, maxBytes);
      if (chunk.end === start) break;
      joined += chunk.text;
      start = chunk.end;
    }
    expect(joined).toBe(text);
  }
  const tail = readLogChunk(expDir, 'rank0.log', undefined, 6);
  expect(tail).toMatchObject({ text: ' ende\n', end: Buffer.byteLength(text) });
});

test.each(['../run.json', 'nothing.log', '/etc/hostname'])('the log %s is refused', (file) => {
  const expDir = temporaryFolder();
  mkdirSync(join(expDir, 'logs'));
  writeFileSync(join(expDir, 'run.json'), '{}');
  expect(() => readLogChunk(expDir, file, 0, 10)).toThrow(expect.objectContaining({ code: 'runs.log-not-found' }));
});
