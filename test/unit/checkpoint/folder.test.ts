import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CheckpointKind } from '../../../engine/api/training.ts';
import { readFailure } from '../../../engine/checkpoint/folder/fileSystem.ts';
import {
  type CheckpointRequest,
  checkpointFolder,
  type FileSystem,
  listCheckpoints,
  loadCheckpoint,
  newestIntact,
  nodeFileSystem,
  pruneCheckpoints,
  recoverFolders,
  resolveCheckpoint,
  saveCheckpoint,
} from '../../../engine/checkpoint/index.ts';

let run = '';
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'checkpoints-'));
});
afterEach(() => {
  rmSync(run, { recursive: true, force: true });
});

function request(kind: CheckpointKind, epoch: number, step: number, value = step): CheckpointRequest {
  return {
    folder: checkpointFolder({ projectDir: run }, kind, { epoch, step }),
    kind,
    epoch,
    step,
    metrics: { 'val/loss': 1 / (step + 1), 'val/nan': Number.NaN },
    time: 1_700_000_000_000 + step,
    model: [{ name: 'w', dtype: 'F32', shape: [2], data: Float32Array.of(value, -value) }],
    optimizer: [{ name: 'exp_avg.w', dtype: 'F32', shape: [2], data: async () => Float32Array.of(0.5, 0.25) }],
    state: { scheduler: { best: Number.POSITIVE_INFINITY }, step },
    configText: 'epochs: 3\n',
  };
}

const save = (kind: CheckpointKind, epoch: number, step: number, value = step) =>
  saveCheckpoint(request(kind, epoch, step, value));

function hiddenNames(): string[] {
  return [run, join(run, 'checkpoints')]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => name.startsWith('.')));
}

async function valueIn(folder: string): Promise<number | bigint | undefined> {
  return (await loadCheckpoint(folder, ['model'])).model.get('w')?.data[0];
}

test('what is saved is loaded', async () => {
  const saved = await save('epoch', 3, 300);
  expect(readdirSync(saved.folder).toSorted()).toEqual([
    'config.yaml',
    'manifest.json',
    'model.safetensors',
    'optimizer.safetensors',
    'state.json',
  ]);
  const onDisk = readdirSync(saved.folder).map((name) => statSync(join(saved.folder, name)).size);
  expect(saved.bytes).toBe(onDisk.reduce((sum, size) => sum + size));
  const loaded = await loadCheckpoint(saved.folder);
  expect(loaded.model.get('w')).toEqual({ name: 'w', dtype: 'F32', shape: [2], data: Float32Array.of(300, -300) });
  expect(loaded.optimizer?.get('exp_avg.w')?.data).toEqual(Float32Array.of(0.5, 0.25));
  expect(loaded.ema).toBeUndefined();
  expect(loaded.state).toEqual({ scheduler: { best: Number.POSITIVE_INFINITY }, step: 300 });
  expect(loaded.configText).toBe('epochs: 3\n');
  expect(loaded.manifest).toMatchObject({
    kind: 'epoch',
    epoch: 3,
    step: 300,
    metrics: { 'val/loss': 1 / 301, 'val/nan': Number.NaN },
    saved_at: '2023-11-14T22:13:20.300Z',
    config_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(hiddenNames()).toEqual([]);
});

test('checkpoints are listed oldest first, numbers as numbers', async () => {
  for (const epoch of [10, 9, 2]) await save('epoch', epoch, epoch * 100);
  await save('best', 9, 900);
  await save('step', 9, 950);
  await save('permanent', 10, 1000);
  expect((await listCheckpoints(run)).map((entry) => entry.path)).toEqual([
    'checkpoints/epoch_2',
    'checkpoints/best',
    'checkpoints/epoch_9',
    'checkpoints/step_950',
    'checkpoints/epoch_10',
    'ckpt_step_1000',
  ]);
  expect(basename((await newestIntact(run)).checkpoint?.folder ?? '')).toBe('ckpt_step_1000');
});

test.each([
  { id: 'a run with a best checkpoint', target: () => run, useBest: true, expected: 'best' },
  { id: 'a run, wanting the newest', target: () => run, useBest: false, expected: 'epoch_10' },
  { id: 'the checkpoint folder', target: () => join(run, 'checkpoints'), useBest: false, expected: 'epoch_10' },
  { id: 'one checkpoint', target: () => join(run, 'checkpoints', 'epoch_9'), useBest: true, expected: 'epoch_9' },
])('$id is resolved', async ({ target, useBest, expected }) => {
  await save('epoch', 9, 900);
  await save('epoch', 10, 1000);
  await save('best', 9, 900);
  const resolved = await resolveCheckpoint(target(), { useBest });
  expect(resolved.type === 'folder' && basename(resolved.folder)).toBe(expected);
});

test('a single file, or a folder of another program, is weights alone', async () => {
  await save('best', 1, 1);
  const file = join(run, 'checkpoints', 'best', 'model.safetensors');
  expect(await resolveCheckpoint(file)).toEqual({ type: 'file', file });
  for (const own of ['manifest.json', 'state.json']) rmSync(join(run, 'checkpoints', 'best', own));
  expect(await resolveCheckpoint(join(run, 'checkpoints', 'best'))).toEqual({ type: 'file', file });
  writeFileSync(join(run, 'checkpoints', 'best', 'manifest.json'), '{"format": "of another program"}');
  expect(await resolveCheckpoint(join(run, 'checkpoints', 'best'))).toEqual({ type: 'file', file });
});

test.each([
  {
    id: 'half a manifest',
    change: (text: string) => text.slice(0, 99),
    says: /manifest\.json is damaged: it is no JSON/,
  },
  {
    id: 'a newer one',
    change: (text: string) => text.replace('"version": 1', '"version": 9'),
    says: /is of version 9/,
  },
  { id: 'none', change: () => undefined, says: /manifest\.json.* is missing|it has no manifest\.json/ },
])(
  'a checkpoint with $id is not taken for the weights of another program, whatever it is called',
  async ({ change, says }) => {
    await save('epoch', 3, 300);
    const folder = join(run, 'checkpoints', 'epoch_3');
    const manifest = join(folder, 'manifest.json');
    const changed = change(readFileSync(manifest, 'utf8'));
    if (changed === undefined) rmSync(manifest);
    else writeFileSync(manifest, changed);
    expect(await resolveCheckpoint(folder)).toMatchObject({
      type: 'folder',
      entry: { problem: expect.stringMatching(says) },
    });
    await expect(loadCheckpoint(folder)).rejects.toThrow(says);
    const copy = join(run, 'mine');
    cpSync(folder, copy, { recursive: true });
    await expect(resolveCheckpoint(copy)).rejects.toThrow(says);
  },
);

test('a checkpoint that is not there is said to be so, with what there is', async () => {
  await save('epoch', 3, 300);
  await expect(resolveCheckpoint(join(run, 'checkpoints', 'epoch_4'))).rejects.toMatchObject({
    code: 'checkpoint.not-found',
    message: expect.stringMatching(/Did you mean 'epoch_3'.* has: checkpoints\/epoch_3\./),
  });
});

test('a folder that may not be read is told in words', () => {
  const denied = Object.assign(new Error('EACCES: permission denied, scandir'), { code: 'EACCES' });
  expect(readFailure('/srv/run', denied)).toMatchObject({
    code: 'checkpoint.not-readable',
    message: expect.stringMatching(/^\/srv\/run cannot be read: you have no permission to\. Give yourself/),
  });
  const other = new Error('EIO');
  expect(readFailure('/srv/run', other)).toBe(other);
});

test('a run without checkpoints says so', async () => {
  await expect(resolveCheckpoint(run)).rejects.toMatchObject({ code: 'checkpoint.not-found' });
  expect(await newestIntact(run)).toEqual({ checkpoint: undefined, damaged: [] });
});

function flipByte(file: string, at: number): Promise<void> {
  return open(file, 'r+').then(async (handle) => {
    const byte = new Uint8Array(1);
    await handle.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await handle.write(byte, 0, 1, at);
    await handle.close();
  });
}

test.each([
  {
    id: 'one flipped bit in the weights',
    damage: (file: (name: string) => string) => flipByte(file('model.safetensors'), 100),
    file: 'model.safetensors',
  },
  {
    id: 'one flipped bit in the state',
    damage: (file: (name: string) => string) => flipByte(file('state.json'), 3),
    file: 'state.json',
  },
  {
    id: 'a truncated file',
    damage: (file: (name: string) => string) => truncateSync(file('optimizer.safetensors'), 40),
    file: 'optimizer.safetensors',
  },
  {
    id: 'a lost file',
    damage: (file: (name: string) => string) => rmSync(file('model.safetensors')),
    file: 'model.safetensors',
  },
  {
    id: 'a truncated manifest',
    damage: (file: (name: string) => string) => truncateSync(file('manifest.json'), 40),
    file: 'manifest.json',
  },
])('$id is found, named, and the next best offered', async ({ damage, file }) => {
  await save('epoch', 1, 100);
  await save('epoch', 2, 200);
  const { folder } = await save('epoch', 3, 300);
  await flipByte(join(run, 'checkpoints', 'epoch_2', 'model.safetensors'), 100);
  await damage((name) => join(folder, name));
  await expect(loadCheckpoint(folder)).rejects.toMatchObject({
    code: 'checkpoint.corrupt',
    message: expect.stringMatching(new RegExp(`epoch_3/${file} is damaged: .* next best is epoch_1 `)),
    details: { nextBest: join(run, 'checkpoints', 'epoch_1') },
  });
});

test('a manifest of a later version is not misread', async () => {
  const { folder } = await save('best', 1, 1);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ format: 'accelhydra-checkpoint', version: 99 }));
  await expect(loadCheckpoint(folder)).rejects.toMatchObject({ code: 'checkpoint.newer' });
});

test('a manifest cannot point outside its folder', async () => {
  const { folder, manifest } = await save('best', 1, 1);
  const files = { ...manifest.files, '../../secret': { bytes: 1, sha256: '0'.repeat(64) } };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, metrics: {}, files }));
  await expect(loadCheckpoint(folder)).rejects.toMatchObject({ code: 'checkpoint.corrupt' });
});

test('pruning keeps the newest epoch and step checkpoints, and every best and permanent one', async () => {
  await save('permanent', 0, 50);
  await save('best', 1, 100);
  for (const epoch of [1, 2, 9, 10]) await save('epoch', epoch, epoch * 100);
  await save('step', 10, 1050);
  const pruned = await pruneCheckpoints(run, 2);
  expect(pruned.map((entry) => entry.path)).toEqual([
    'checkpoints/epoch_9',
    'checkpoints/epoch_2',
    'checkpoints/epoch_1',
  ]);
  expect((await listCheckpoints(run)).map((entry) => entry.path)).toEqual([
    'ckpt_step_50',
    'checkpoints/best',
    'checkpoints/epoch_10',
    'checkpoints/step_1050',
  ]);
  expect(await pruneCheckpoints(run, null)).toEqual([]);
  expect(await pruneCheckpoints(run, 0, join(run, 'checkpoints', 'step_1050'))).toHaveLength(1);
  expect(hiddenNames()).toEqual([]);
});

/** Every write to the weights goes to a device that is always full. */
const fullDisk: FileSystem = {
  ...nodeFileSystem,
  create: async (path) => {
    if (!path.endsWith('model.safetensors')) return nodeFileSystem.create(path);
    const handle = await open('/dev/full', 'w');
    return {
      write: async (parts) => void (await handle.writev([...parts])),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
};

test('a full disk is reported, leaves nothing behind and the older checkpoint intact', async () => {
  const { folder } = await save('best', 1, 100);
  await expect(saveCheckpoint(request('best', 2, 200), fullDisk)).rejects.toMatchObject({
    code: 'checkpoint.disk-full',
    message: expect.stringMatching(/disk is full.*best could not be written\. Earlier checkpoints are untouched/),
  });
  expect(hiddenNames()).toEqual([]);
  expect(await valueIn(folder)).toBe(100);
});

/** Fails at the n-th operation; with `crash`, and ever after, as if the process had died there. */
function failingAt(operation: number, crash: boolean): FileSystem & { readonly count: () => number } {
  let done = 0;
  const guard = async <T>(action: () => Promise<T>): Promise<T> => {
    done++;
    if (done === operation || (crash && done > operation)) {
      throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    }
    return action();
  };
  return {
    count: () => done,
    makeFolder: (path) => guard(() => nodeFileSystem.makeFolder(path)),
    syncFolder: (path) => guard(() => nodeFileSystem.syncFolder(path)),
    rename: (from, to) => guard(() => nodeFileSystem.rename(from, to)),
    remove: (path) => guard(() => nodeFileSystem.remove(path)),
    list: (path) => guard(() => nodeFileSystem.list(path)),
    create: async (path) => {
      const file = await guard(() => nodeFileSystem.create(path));
      return {
        write: (parts) => guard(() => file.write(parts)),
        sync: () => guard(() => file.sync()),
        close: () => file.close(),
      };
    },
  };
}

test.each([
  { id: 'fails', crash: false },
  { id: 'and everything after it fails, as in a crash', crash: true },
])('whichever operation $id, the old or the new checkpoint is there, whole', async ({ crash }) => {
  const counter = failingAt(0, false);
  await save('best', 1, 1);
  await saveCheckpoint(request('best', 2, 2), counter);
  expect(counter.count()).toBeGreaterThan(15);
  for (let operation = 1; operation <= counter.count(); operation++) {
    await save('best', 1, 1);
    await saveCheckpoint(request('best', 2, 2), failingAt(operation, crash)).catch(() => undefined);
    await recoverFolders(join(run, 'checkpoints'), nodeFileSystem);
    expect([1, 2]).toContain(await valueIn(join(run, 'checkpoints', 'best')));
    expect(hiddenNames()).toEqual([]);
  }
});

test('a folder that another process is still writing is left alone', async () => {
  await save('best', 1, 1);
  const [running, gone] = [`.best.tmp-${process.ppid}-1`, '.best.tmp-999999999-1'];
  await nodeFileSystem.makeFolder(join(run, 'checkpoints', running));
  await nodeFileSystem.makeFolder(join(run, 'checkpoints', gone));
  await save('best', 2, 2);
  expect(hiddenNames()).toEqual([running]);
});

test('a project folder that may not be written is named as such', async () => {
  const readOnly: FileSystem = {
    ...nodeFileSystem,
    makeFolder: () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' })),
  };
  await expect(saveCheckpoint(request('best', 1, 1), readOnly)).rejects.toMatchObject({
    code: 'checkpoint.not-writable',
    message: expect.stringContaining(join(run, 'checkpoints')),
  });
});
