import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import type { LauncherEvent, LauncherStatus } from '../../../engine/api/launch.ts';
import { attachRun, type RunHandle } from '../../../engine/launch/attachRun.ts';
import { ControlServer } from '../../../engine/launch/controlServer.ts';

let folder: string;
let server: ControlServer;
let commands: string[];
let handles: RunHandle[];

const status: LauncherStatus = {
  runId: 'r',
  status: 'running',
  pid: 1,
  restarts: 0,
  workers: [],
  progress: {
    phase: 'training',
    epoch: 0,
    epochs: 1,
    step: 1,
    totalSteps: 2,
    epochStep: 1,
    epochLength: 2,
    samplesPerSecond: 3,
    loss: Number.NaN,
  },
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'control-'));
  commands = [];
  handles = [];
  server = await ControlServer.open(folder, (command) => {
    commands.push(command);
    if (command === 'kill') throw new EngineError('launch.test', 'No.');
    return status;
  });
});

afterEach(async () => {
  for (const handle of handles) await handle.dispose();
  await server.dispose();
  rmSync(folder, { recursive: true });
});

async function attach(): Promise<RunHandle> {
  const handle = await attachRun(folder);
  handles.push(handle);
  return handle;
}

/** Sends raw text and collects what comes back until the connection ends or a line has come. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(folder, 'control.sock'), () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.endsWith('\n')) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('the control channel', () => {
  test('answers commands with the state, a diverged loss included', async () => {
    const handle = await attach();
    expect(await Promise.all([handle.status(), handle.stop()])).toEqual([status, status]);
    await expect(handle.kill()).rejects.toMatchObject({ code: 'launch.test', message: 'No.' });
    expect(commands).toEqual(['status', 'stop', 'kill']);
  });

  test('sends events to those who subscribed', async () => {
    const [first, second] = [await attach(), await attach()];
    const heard: LauncherEvent[] = [];
    first.onEvent((event) => heard.push(event));
    second.onEvent(() => heard.push({ type: 'checkpoints' }));
    await first.subscribe();
    server.publish({ type: 'metrics', keys: ['train/loss'], lastStep: 4 });
    server.publish({ type: 'ended', status: 'completed' });
    await first.status();
    expect(heard).toEqual([
      { type: 'metrics', keys: ['train/loss'], lastStep: 4 },
      { type: 'ended', status: 'completed' },
    ]);
  });

  test('is for this user only', () => {
    expect(statSync(join(folder, 'control.sock')).mode & 0o077).toBe(0);
  });

  test.each([
    { id: 'an unknown command', text: '{"id":7,"command":"dance"}\n', answer: /"id":7,"error":.*does not know/ },
    { id: 'no JSON', text: 'GET / HTTP/1.1\n', answer: /"id":0,"error"/ },
    { id: 'an endless line', text: 'x'.repeat(1024 * 1024 + 10), answer: /^$/ },
  ])('survives $id', async ({ text, answer }) => {
    expect(await raw(text)).toMatch(answer);
    expect(await (await attach()).status()).toEqual(status);
  });

  test('a client that does not read is let go, the others go on', async () => {
    const deaf = connect(join(folder, 'control.sock'));
    await new Promise<void>((resolve) => deaf.once('connect', () => resolve()));
    const closed = new Promise<void>((resolve) => deaf.once('close', () => resolve()));
    deaf.on('error', () => deaf.destroy());
    deaf.write('{"id":1,"command":"subscribe"}\n');
    const handle = await attach();
    await handle.status();
    deaf.pause();
    const keys = Array.from({ length: 2000 }, (_, i) => `a/rather/long/key/of/a/metric/${i}`);
    for (let i = 0; i < 200; i++) server.publish({ type: 'metrics', keys, lastStep: i });
    expect(await handle.status()).toEqual(status);
    deaf.resume();
    await closed;
  });

  test('says when the launcher goes, and that it is gone', async () => {
    const handle = await attach();
    const closed = new Promise<void>((resolve) => handle.onDidClose(() => resolve()));
    await server.dispose();
    await closed;
    await expect(handle.status()).rejects.toMatchObject({ code: 'launch.not-running' });
    await expect(attachRun(folder)).rejects.toMatchObject({ code: 'launch.not-running' });
  });
});
