import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { InferenceSession, type SessionLimits } from '../../../engine/inference/inferenceSession.ts';
import type { ForkChild } from '../../../engine/process/childPort.ts';

const MODULE = fileURLToPath(new URL('../../fixtures/inference/fakeWorker.ts', import.meta.url));
const pids: number[] = [];
const sessions: InferenceSession[] = [];

const forkFake: ForkChild = ({ module, folder, environment }) => {
  const child = fork(module, [], {
    cwd: folder,
    env: { ...process.env, ...environment },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  if (child.pid !== undefined) pids.push(child.pid);
  return child;
};

async function open(checkpoint = 'good', limits: Partial<SessionLimits> = {}): Promise<InferenceSession> {
  const start = { projectRoot: process.cwd(), expDir: process.cwd(), checkpoint };
  const { session } = await InferenceSession.open({ fork: forkFake, start, module: MODULE, limits });
  sessions.push(session);
  return session;
}

const say = async (session: InferenceSession, text: string): Promise<string> => {
  const { output } = await session.predict({ type: 'text', text });
  return output.type === 'text' ? output.text : output.type;
};

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.dispose();
  for (const pid of pids.splice(0)) expect(isAlive(pid), `process ${pid} is left over`).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('answers come to those who asked', async () => {
  const session = await open();
  expect(session.state).toBe('ready');
  const answers = await Promise.all(['a', 'b', 'c'].map((text) => say(session, text)));
  expect(answers.map((answer) => answer[0])).toEqual(['a', 'b', 'c']);
});

test('a refusal keeps its code and the session its process', async () => {
  const session = await open();
  await expect(say(session, 'refuse')).rejects.toMatchObject({ code: 'test.refused', message: 'no' });
  expect(await say(session, 'still')).toContain(`from ${pids[0]}`);
});

test('a process that dies refuses its request and is started again', async () => {
  const session = await open();
  await expect(say(session, 'die')).rejects.toMatchObject({ code: 'inference.process-died' });
  expect(await say(session, 'again')).toContain(`from ${pids[1]}`);
  expect(pids).toHaveLength(2);
});

test('after as many restarts as allowed the session ends and says why', async () => {
  const session = await open('good', { restarts: 1 });
  const reasons: string[] = [];
  session.onDidEnd((reason) => reasons.push(reason));
  await expect(say(session, 'die')).rejects.toMatchObject({ code: 'inference.process-died' });
  await expect(say(session, 'die')).rejects.toMatchObject({ code: 'inference.process-died' });
  expect(reasons).toEqual(['Its process ended with exit code 9. Gave up after 1 restarts.']);
  expect(session.state).toBe('ended');
  await expect(say(session, 'more')).rejects.toMatchObject({ code: 'inference.closed' });
});

test('a process that hangs is ended and started again', async () => {
  const session = await open('good', { answerMs: 300 });
  await expect(say(session, 'hang')).rejects.toMatchObject({ code: 'inference.timeout' });
  expect(await say(session, 'again')).toContain('again from');
});

test.each([
  { id: 'what keeps the model from loading', checkpoint: 'wrong', code: 'model.state', says: 'another model' },
  {
    id: 'a crash while loading, with the last words',
    checkpoint: 'crash',
    code: 'inference.process-died',
    says: 'the library fell over',
  },
  {
    id: 'a start that takes too long',
    checkpoint: 'never',
    code: 'inference.start-timeout',
    says: 'not loaded within 0.5 s',
  },
])('opening tells $id', async ({ checkpoint, code, says }) => {
  const startMs = checkpoint === 'never' ? 500 : 30_000;
  await expect(open(checkpoint, { startMs })).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
});

test('disposing refuses what is open and leaves no process', async () => {
  const session = await open();
  const asked = say(session, 'hang');
  await Promise.all([expect(asked).rejects.toMatchObject({ code: 'inference.closed' }), session.dispose()]);
});
