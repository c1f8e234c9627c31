import { arch, cpus, hostname, platform, release, totalmem, userInfo } from 'node:os';
import type { DeviceInfo } from '../api/machine.ts';
import { askGit } from './childProcess.ts';

export interface GitState {
  readonly commit: string;
  readonly branch?: string;
  readonly dirty: boolean;
}

/** Where and with what code a run was started. */
export interface RunSurroundings {
  readonly host: string;
  readonly user: string;
  readonly git?: GitState;
  /** What differs from the commit, as `git diff` prints it; absent when nothing does. */
  readonly codeDiff?: string;
  /** `environment.json`. */
  readonly environment: Readonly<Record<string, unknown>>;
}

/** A diff beyond this is cut: it is there to read, not to store a data set. */
const longestDiff = 8 * 1024 * 1024;

/** Reads git and the machine. Never fails: what cannot be known is left out. */
export async function captureSurroundings(
  projectRoot: string,
  command: string,
  devices: readonly DeviceInfo[],
): Promise<RunSurroundings> {
  const git = await readGit(projectRoot);
  const host = hostname();
  const user = userName();
  return {
    host,
    user,
    ...(git === undefined ? {} : { git: git.state }),
    ...(git?.diff ? { codeDiff: git.diff } : {}),
    environment: {
      command,
      folder: projectRoot,
      host,
      user,
      platform: `${platform()} ${release()} ${arch()}`,
      node: process.versions.node,
      ...(process.versions.electron === undefined ? {} : { electron: process.versions.electron }),
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      devices: devices.map(({ id, name, memoryTotal, driver }) => ({ id, name, memoryTotal, driver })),
      ...(git === undefined ? {} : { git: { ...git.state, untracked: git.untracked } }),
    },
  };
}

/** The commit that a folder is at, and whether it was changed since; undefined without git or a repository. */
export async function readGitState(root: string): Promise<GitState | undefined> {
  return (await readGit(root))?.state;
}

interface GitReading {
  readonly state: GitState;
  readonly diff: string;
  readonly untracked: readonly string[];
}

async function readGit(root: string): Promise<GitReading | undefined> {
  const [commit, branch, status, diff] = await Promise.all([
    askGit(root, ['rev-parse', 'HEAD']),
    askGit(root, ['symbolic-ref', '--short', '-q', 'HEAD']),
    askGit(root, ['status', '--porcelain=v1', '-z', '--untracked-files=normal', '--', '.']),
    askGit(root, ['diff', '--no-color', '--no-ext-diff', 'HEAD', '--', '.']),
  ]);
  if (commit === undefined) return undefined;
  const entries = (status ?? '').split('\0').filter((entry) => entry !== '');
  const untracked = entries.filter((entry) => entry.startsWith('??')).map((entry) => entry.slice(3));
  const name = branch?.trim();
  return {
    state: { commit: commit.trim(), ...(name ? { branch: name } : {}), dirty: entries.length > 0 },
    diff: (diff ?? '').slice(0, longestDiff),
    untracked: untracked.slice(0, 200),
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a user id without an entry, as in some containers
  }
}
