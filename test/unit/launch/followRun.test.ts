import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunStatus } from '../../../engine/api/runModel.ts';
import { ControlServer } from '../../../engine/launch/controlServer.ts';
import { followRun } from '../../../engine/launch/followRun.ts';
import { freeRunFolder } from '../../../engine/launch/startRun.ts';
import { logSizes } from '../../../engine/runs/logFiles.ts';
import { writeRunFile } from '../../../engine/runs/runFolder.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'follow-'));
  mkdirSync(join(folder, 'logs'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const log = (text: string) => appendFileSync(join(folder, 'logs', 'rank0.log'), text);

function record(status: RunStatus, error?: string): void {
  writeRunFile(folder, {
    version: 1,
    id: '20260101-000000-abcde',
    name: 'n',
    status,
    configName: 'train',
    overrides: [],
    command: '',
    createdAt: 0,
    processes: 1,
    devices: ['cpu'],
    host: hostname(),
    user: 'u',
    ...(error === undefined ? {} : { error }),
  });
}

describe('followRun', () => {
  test.each([
    { id: 'ended', status: 'failed', error: 'Rank 0: no', end: { status: 'failed', error: 'Rank 0: no' } },
    {
      id: 'lost',
      status: 'running',
      error: undefined,
      end: { status: 'lost', error: expect.stringContaining('gone') },
    },
  ] as const)('tells the end and the logs of a run that has $id', async ({ status, error, end }) => {
    record(status, error);
    log('one\ntwo\n');
    const heard: string[] = [];
    const followed = await followRun(folder, { onLog: (file, text) => heard.push(`${file}: ${text}`) });
    expect(await followed.ended).toEqual(end);
    expect(heard).toEqual(['rank0.log: one\ntwo\n']);
    await Promise.all([followed.stop(), followed.kill()]);
  });

  test('hands on whole lines as they come', async () => {
    log('before\n');
    const server = await ControlServer.open(folder, () => ({
      runId: 'r',
      status: 'running',
      pid: 1,
      restarts: 0,
      workers: [],
    }));
    const heard: string[] = [];
    const followed = await followRun(folder, { onLog: (_file, text) => heard.push(text) });
    expect(heard).toEqual(['before\n']);
    log('a line that is n');
    server.publish({ type: 'log', file: 'rank0.log' });
    await followed.stop();
    expect(heard).toEqual(['before\n']);
    log('ot done\nnext\n');
    server.publish({ type: 'log', file: 'rank0.log' });
    server.publish({ type: 'ended', status: 'completed' });
    await server.dispose();
    expect(await followed.ended).toMatchObject({ status: 'completed' });
    expect(heard).toEqual(['before\n', 'a line that is not done\nnext\n']);
  });

  test('from the end: what was said before is not told again', async () => {
    log('before\n');
    const server = await ControlServer.open(folder, () => ({
      runId: 'r',
      status: 'running',
      pid: 1,
      restarts: 0,
      workers: [],
    }));
    const heard: string[] = [];
    const follower = { onLog: (_file: string, text: string) => heard.push(text) };
    const followed = await followRun(folder, follower, logSizes(folder));
    log('after\n');
    server.publish({ type: 'ended', status: 'completed' });
    await server.dispose();
    await followed.ended;
    expect(heard).toEqual(['after\n']);
  });
});

test('freeRunFolder counts on past folders in use, and takes an empty one', () => {
  const wanted = join(folder, 'exp');
  expect(freeRunFolder(wanted)).toBe(wanted);
  mkdirSync(wanted);
  expect(freeRunFolder(wanted)).toBe(wanted);
  appendFileSync(join(wanted, 'note'), '');
  appendFileSync(join(folder, 'exp-2'), '');
  expect(freeRunFolder(wanted)).toBe(`${wanted}-3`);
});
