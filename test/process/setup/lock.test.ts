import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLock } from '../../../engine/setup/lock.mjs';
import { runNode } from '../../support/runNode.ts';

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-lock-'));
  lock = join(folder, 'setup.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const module = JSON.stringify(join(import.meta.dirname, '../../../engine/setup/lock.mjs'));

/** Takes the lock, writes `in`, waits, writes `out`; two of these must never be inside together. */
const worker = (ending: string): string => `
  import { appendFileSync } from 'node:fs';
  const { acquireLock } = await import(${module});
  const release = await acquireLock(process.argv[1], () => console.log('waited'));
  appendFileSync(process.argv[1] + '.log', 'in\\n');
  await new Promise((resolve) => setTimeout(resolve, 120));
  appendFileSync(process.argv[1] + '.log', 'out\\n');
  ${ending}
`;
const start = (ending: string) => runNode(['--input-type=module', '-e', worker(ending), lock]);

test.each([
  { id: 'gives it back', ending: 'release();' },
  { id: 'ends without giving it back', ending: 'process.exit(0);' },
  { id: 'is killed', ending: "process.kill(process.pid, 'SIGKILL');" },
])('one set-up at a time, also when the owner $id', async ({ ending }) => {
  await Promise.all(Array.from({ length: 4 }, () => start(ending)));
  expect(readFileSync(`${lock}.log`, 'utf8')).toBe('in\nout\n'.repeat(4));
});

test('a lock of a process that is gone is taken over, one of a living process is waited for', async () => {
  const gone = await runNode(['-e', 'console.log(process.pid)']);
  writeFileSync(lock, gone.stdout.trim());
  const owners: number[] = [];
  const release = await acquireLock(lock, (owner) => owners.push(owner));
  expect(owners).toEqual([]);
  const second = start('release();');
  setTimeout(release, 400);
  expect((await second).stdout).toBe('waited\n');
  expect(existsSync(lock)).toBe(false);
});
