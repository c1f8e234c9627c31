import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderHolder, holdFolder } from '../../../engine/runs/folderHold.ts';

let root: string;
let run: string;
const held = () => join(run, 'held');
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'accelhydra-hold-'));
  run = join(root, 'run');
  mkdirSync(run);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The word of this process with another one's facts. */
function holdAs(facts: Record<string, unknown>): void {
  const hold = holdFolder(run);
  const own = JSON.parse(readFileSync(held(), 'utf8')) as object;
  hold.dispose();
  writeFileSync(held(), JSON.stringify({ ...own, ...facts }));
}

test('one process has a folder, and gives it back', () => {
  writeFileSync(join(run, 'run.json'), JSON.stringify({ id: 'abc' }));
  const hold = holdFolder(run);
  expect(folderHolder(run)).toMatchObject({ pid: process.pid, host: hostname() });
  expect(() => holdFolder(run)).toThrow(
    new RegExp(`runs in ${run} \\(process ${process.pid} since 20[-\\d]+ [:\\d]+\\).*accelhydra runs stop abc`),
  );
  hold.dispose();
  expect(folderHolder(run)).toBeUndefined();
  holdFolder(run).dispose();
  expect(existsSync(held())).toBe(false);
});

test.each([
  { id: 'a process that is gone', facts: { pid: 2 ** 22 + 1 } },
  { id: 'a process whose id was given to another one', facts: { processStart: '1' } },
  { id: 'another machine whose heartbeat stopped', facts: { host: 'elsewhere' } },
])('$id holds nothing', ({ facts }) => {
  holdAs(facts);
  writeFileSync(join(run, 'heartbeat'), '{}');
  utimesSync(join(run, 'heartbeat'), 1, 1);
  expect(folderHolder(run)).toBeUndefined();
  const hold = holdFolder(run);
  expect(folderHolder(run)?.pid).toBe(process.pid);
  hold.dispose();
});

test('half a word and the word of a folder that this one is a copy of hold nothing', () => {
  const original = holdFolder(run);
  const copy = join(root, 'copy');
  cpSync(run, copy, { recursive: true });
  holdFolder(copy).dispose();
  original.dispose();
  writeFileSync(held(), '{"pid":');
  holdFolder(run).dispose();
});

test('another machine holds it while its heartbeat goes on', () => {
  holdAs({ host: 'elsewhere', pid: 12 });
  writeFileSync(join(run, 'heartbeat'), '{}');
  expect(() => holdFolder(run)).toThrow(/process 12 on elsewhere since/);
});

test('who starts a launcher hands the folder over', () => {
  holdAs({ pid: process.ppid, processStart: undefined });
  expect(() => holdFolder(run)).toThrow(`process ${process.ppid} since`);
  const launcher = holdFolder(run, { from: process.ppid });
  expect(folderHolder(run)?.pid).toBe(process.pid);
  launcher.dispose();
  expect(folderHolder(run)).toBeUndefined();
});
