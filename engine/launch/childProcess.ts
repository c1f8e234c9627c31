import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The only door to `child_process` here: whatever launching starts, it starts through these functions. */
export type { ChildProcess };

/** Node flags that a child needs to run the same sources as its parent. */
const inheritedFlags = /^--(experimental-strip-types|experimental-transform-types|no-warnings|disable-warning)/;

/** TensorFlow.js calls this deprecated function; every log would begin with the warning. */
const quiet = ['--disable-warning=DEP0044'];

export interface WorkerFork {
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** A child with piped output and a message channel that keeps NaN and typed arrays; it is in the parent's process group. */
export function forkWorker(request: WorkerFork): ChildProcess {
  return fork(request.module, [], {
    cwd: request.folder,
    env: { ...ownEnvironment(), ...nodeSettings(), ...request.environment },
    execArgv: [...process.execArgv.filter((flag) => inheritedFlags.test(flag)), ...quiet],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
}

export interface DetachedStart {
  readonly module: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  /** Open file that takes what the child prints. */
  readonly output: number;
}

/** A child in a session of its own: it outlives this process and hears no Ctrl-C of its terminal. */
export function spawnDetached(request: DetachedStart): ChildProcess {
  const flags = process.execArgv.filter((flag) => inheritedFlags.test(flag));
  return spawn(process.execPath, [...flags, request.module, ...request.arguments], {
    cwd: request.folder,
    env: { ...process.env, ...nodeSettings() },
    detached: true,
    windowsHide: true,
    stdio: ['ignore', request.output, request.output, 'ipc'],
  });
}

/** Standard output of `git` in `folder`, or undefined where git, the repository or the answer is missing. */
export function askGit(folder: string, commandArguments: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      'git',
      ['--no-optional-locks', '-C', folder, ...commandArguments],
      { timeout: 10_000, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, GIT_TERMINAL_PROMPT: '0' } },
      (error, output) => resolve(error ? undefined : output),
    );
  });
}

/** Path of a module that lies beside the caller. */
export function moduleBeside(url: string, name: string): string {
  return fileURLToPath(new URL(name, url));
}

/** Without what another training process left behind: a run may be started from inside one. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^ACCELHYDRA_(RANKS|RESUME)/.test(name));
  return Object.fromEntries(entries);
}

/** Electron's binary runs as plain Node when told so; compiled sources are shared with this process, which halves a start. */
function nodeSettings(): Record<string, string> {
  const cache = getCompileCacheDir();
  return {
    ...(process.versions.electron === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' }),
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }),
  };
}
