import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { deserializeError, type SerializedError } from '../../engine/api/errors.ts';
import { forkWorker } from '../../engine/launch/childProcess.ts';
import { runChildTask } from '../../engine/process/childTask.ts';

interface Reply {
  readonly type: 'busy' | 'done' | 'failed';
  readonly value?: unknown;
  readonly failure?: SerializedError;
}

/** Runs the fixture's task; `stop` is called once it is under way. */
function run(how: string, limits: { signal?: AbortSignal; stopLimitMs?: number; stop?: () => void } = {}) {
  return runChildTask<Reply>({
    fork: forkWorker,
    module: fileURLToPath(new URL('../fixtures/process/task.ts', import.meta.url)),
    folder: process.cwd(),
    environment: {},
    start: { type: 'start', how },
    title: 'The test process',
    lostCode: 'test.lost',
    stopped: { code: 'test.stopped', message: 'Stopped.' },
    onMessage: (raw) => {
      const reply = raw as Reply;
      if (reply.type === 'busy') limits.stop?.();
      if (reply.failure !== undefined) return deserializeError(reply.failure);
      return reply.type === 'done' ? reply : undefined;
    },
    signal: limits.signal,
    stopLimitMs: limits.stopLimitMs ?? 0,
  });
}

test('a task answers, fails or dies; each is told as what it is', async () => {
  const answers = ['answer', 'fail', 'die'].map((how) => run(how));
  expect(await Promise.allSettled(answers)).toMatchObject([
    { value: { value: Number.NaN } },
    { reason: { code: 'internal', message: 'no such thing' } },
    { reason: { code: 'test.lost', message: 'The test process ended with exit code 7.\nlast words' } },
  ]);
});

test('a stopped task may put things away; one that changes nothing, or does not listen, is ended', async () => {
  const outcomes = ['hang', 'hang', 'deaf'].map((how, i) => {
    const stopping = new AbortController();
    const stopLimitMs = [5000, 0, 50][i] ?? 0;
    return run(how, { signal: stopping.signal, stop: () => stopping.abort(), stopLimitMs });
  });
  expect(await Promise.allSettled(outcomes)).toMatchObject([
    { value: { value: 'put away' } },
    { reason: { code: 'test.stopped' } },
    { reason: { code: 'test.stopped' } },
  ]);
  await expect(run('answer', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'test.stopped' });
});
