import { join } from 'node:path';
import { EngineError, serializeError, toEngineError } from '../api/errors.ts';
import { LaunchJob } from '../api/launch.ts';
import { newestIntact, passedOver } from '../checkpoint/index.ts';
import { holdFolder } from '../runs/folderHold.ts';
import { startHeartbeat } from '../runs/heartbeat.ts';
import { readRunJson, runFiles, writeAtomically } from '../runs/runFolder.ts';
import { RunRecorder } from '../runs/runRecorder.ts';
import { RunStore } from '../runs/runStore.ts';
import { moduleBeside } from './childProcess.ts';
import { ControlServer } from './controlServer.ts';
import { jobFile } from './jobFile.ts';
import { OutputLog } from './outputLog.ts';
import { RunLauncher } from './runLauncher.ts';
import { stopLimitMs } from './workerGroup.ts';
import { exitCodes } from './workerProtocol.ts';

/**
 * The process that owns one run: `node launcherMain.ts RUN_DIR [WORKER_MODULE]`. It says `ready` or `failed` to the
 * process that started it, if that one listens, and from then on needs nobody.
 */

/** A write waits this long for another process before it is kept for later: the launcher must stay responsive. */
const storeBusyMs = 250;
const limits = { stopMs: stopLimitMs, failureMs: 3000 };

export type LauncherReadiness =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

async function main(runDir: string, workerModule: string): Promise<number> {
  const hold = holdFolder(runDir, { from: process.ppid });
  const log = new OutputLog(join(runDir, 'logs', 'launcher.log'));
  const say = (text: string) => log.write(text);
  const job = readJob(runDir);
  const store = RunStore.open(job.storeFile, { busyTimeoutMs: storeBusyMs });
  const recorder = new RunRecorder(store, job.runId, runDir, {
    onStoreTrouble: (problem) => say(problem === undefined ? 'The run store works again.' : problem.message),
  });
  const heartbeat = startHeartbeat(runDir, 1000);
  const server = await ControlServer.open(runDir, (command) => {
    if (command === 'stop') launcher.stop();
    if (command === 'kill') launcher.kill();
    return launcher.status;
  });
  const launcher = new RunLauncher({
    job,
    runDir,
    workerModule,
    limits,
    target: recorder,
    onEvent: (event) => server.publish(event),
    say,
    onBackend: (description) => {
      say(`Training runs on ${description}.`);
      recordBackend(runDir, description);
    },
    newestCheckpoint: () => newestCheckpoint(runDir, say),
  });
  onSignals(launcher);
  const running = launcher.run();
  await announce({ type: 'ready' });
  const end = await running;
  launcher.dispose();
  heartbeat.dispose();
  recorder.dispose();
  store.dispose();
  // nothing more is written of the run: before anything is waited for, since its row says already that it can be gone on with
  hold.dispose();
  await server.dispose();
  log.dispose();
  if (end.status === 'failed') return exitCodes.failed;
  return end.status === 'killed' ? exitCodes.killed : exitCodes.done;
}

function readJob(runDir: string): LaunchJob {
  const job = LaunchJob.safeParse(readRunJson(runDir, jobFile));
  if (job.success) return job.data;
  const why = job.error.issues[0]?.message ?? 'unreadable';
  throw new EngineError('launch.job-invalid', `${join(runDir, jobFile)} does not describe a run to launch (${why}).`, {
    runDir,
  });
}

/** Damaged ones are passed over: processes that are started again must not fail at what they begin with. */
async function newestCheckpoint(runDir: string, say: (text: string) => void): Promise<string | undefined> {
  const newest = await newestIntact(runDir);
  const text = passedOver(newest);
  if (text !== undefined) say(text);
  return newest.checkpoint?.path;
}

/** Only a training process knows what its tensors live on. */
function recordBackend(runDir: string, backend: string): void {
  const environment = readRunJson(runDir, runFiles.environment);
  if (typeof environment !== 'object' || environment === null) return;
  try {
    writeAtomically(join(runDir, runFiles.environment), `${JSON.stringify({ ...environment, backend }, null, 2)}\n`);
  } catch {
    // a full disk: the log has the line too
  }
}

/** The first signal is a polite stop, the second ends everything. */
function onSignals(launcher: RunLauncher): void {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) launcher.kill();
      else launcher.stop();
      asked = true;
    });
  }
}

function announce(readiness: LauncherReadiness): Promise<void> {
  const send = process.send?.bind(process);
  return new Promise((resolve) => {
    if (send === undefined || !process.connected) {
      resolve();
      return;
    }
    send(readiness, undefined, undefined, () => {
      if (process.connected) process.disconnect?.();
      resolve();
    });
  });
}

const [runDir, workerModule] = process.argv.slice(2);
if (runDir === undefined) {
  process.stderr.write('A launcher is started by the app; it needs the folder of its run.\n');
  process.exit(2);
}
try {
  process.exitCode = await main(runDir, workerModule ?? moduleBeside(import.meta.url, './workerMain.ts'));
} catch (error) {
  const { code, message } = serializeError(toEngineError(error, 'launch.launcher-failed'));
  process.stderr.write(`${error instanceof Error ? (error.stack ?? message) : message}\n`);
  await announce({ type: 'failed', code, message });
  process.exitCode = exitCodes.failed;
}
// whatever still holds on to this process, its run is over
process.exit();
