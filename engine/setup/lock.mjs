// One set-up at a time per checkout. The lock is a file holding its owner's process id; a dead owner's lock is taken over.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 150;

/**
 * Waits until this process owns the lock.
 * @param {string} path
 * @param {(owner: number) => void} onWait called once when another process has it
 * @returns {Promise<() => void>} gives the lock back; also done when the process exits
 */
export async function acquireLock(path, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  for (;;) {
    if (tryCreate(path)) return releaseOf(path);
    const owner = readOwner(path);
    if (owner !== undefined && !isAlive(owner)) {
      takeAway(path, owner);
      continue;
    }
    if (!told && owner !== undefined) {
      told = true;
      onWait(owner);
    }
    await sleep(pollMs);
  }
}

function tryCreate(path) {
  // Written beside and linked, so that nobody ever reads a lock without its owner's number in it.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readOwner(path) {
  try {
    const owner = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(owner) ? owner : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Moves a dead owner's lock away; if a living process took it in that moment, it is put back. */
function takeAway(path, deadOwner) {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readOwner(aside) !== deadOwner) linkSync(aside, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function releaseOf(path) {
  const release = () => {
    process.removeListener('exit', release);
    if (readOwner(path) === process.pid) rmSync(path, { force: true });
  };
  process.once('exit', release);
  return release;
}
