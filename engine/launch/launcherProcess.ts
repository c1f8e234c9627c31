import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { type ChildProcess, moduleBeside, spawnDetached } from './childProcess.ts';

export interface LauncherStart {
  readonly runDir: string;
  readonly projectRoot: string;
  readonly readyTimeoutMs?: number | undefined;
  /** Another training process than the real one. */
  readonly workerModule?: string | undefined;
}

const Readiness = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
]);

/**
 * Starts the launcher of the run in `runDir` in a session of its own and resolves with its process id once it owns the
 * run. Throws `launch.launcher-failed` (or the launcher's own error) with its last words; no process is left then.
 */
export async function startLauncher(start: LauncherStart): Promise<number> {
  const logFile = join(start.runDir, 'logs', 'launcher.log');
  mkdirSync(join(start.runDir, 'logs'), { recursive: true });
  const output = openSync(logFile, 'a');
  const extra = start.workerModule === undefined ? [] : [start.workerModule];
  const child = spawnDetached({
    module: moduleBeside(import.meta.url, './launcherMain.ts'),
    arguments: [start.runDir, ...extra],
    folder: start.projectRoot,
    output,
  });
  closeSync(output);
  try {
    await readiness(child, start.readyTimeoutMs ?? 60_000, logFile);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  child.removeAllListeners();
  // a channel left open would keep this process alive as long as the training
  if (child.connected) child.disconnect();
  child.unref();
  return child.pid ?? 0;
}

function readiness(child: ChildProcess, timeoutMs: number, logFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, code = 'launch.launcher-failed') => {
      clearTimeout(timer);
      reject(new EngineError(code, why, { log: tailOf(logFile) }));
    };
    const timer = setTimeout(() => {
      fail(`The launcher did not get ready within ${timeoutMs / 1000} s.${lastWords(logFile)}`);
    }, timeoutMs);
    child.once('error', (error) => fail(`The launcher could not be started: ${error.message}.`));
    child.once('exit', (code, signal) => fail(`The launcher ended at once (${signal ?? code}).${lastWords(logFile)}`));
    child.once('message', (raw) => {
      const message = Readiness.safeParse(raw).data;
      if (message?.type === 'failed') {
        fail(message.message, message.code);
        return;
      }
      clearTimeout(timer);
      resolve();
    });
  });
}

function lastWords(logFile: string): string {
  const tail = tailOf(logFile);
  return tail === '' ? '' : ` It said: ${tail}`;
}

/** The last lines, for an error message. */
function tailOf(logFile: string): string {
  try {
    return readFileSync(logFile, 'utf8').trim().split('\n').slice(-8).join('\n');
  } catch {
    return ''; // it did not come so far as to write
  }
}
