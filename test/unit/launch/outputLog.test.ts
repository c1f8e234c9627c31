import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OutputLog } from '../../../engine/launch/outputLog.ts';

let folder: string;
let log: OutputLog;
let told: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
  told = 0;
  log = new OutputLog(join(folder, 'logs', 'rank0.log'), () => told++, { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) });
});

afterEach(() => {
  log.dispose();
  rmSync(folder, { recursive: true });
});

const lines = () =>
  readFileSync(join(folder, 'logs', 'rank0.log'), 'utf8')
    .split('\n')
    .map((line) => line.replace('2026-01-02T03:04:05.006Z ', '> '));

test.each([
  { id: 'whole lines', chunks: ['a\nb\n'], expected: ['> a', '> b', ''] },
  { id: 'lines cut anywhere', chunks: ['a', 'b\nc', '', 'd'], expected: ['> ab', '> cd', ''] },
  { id: 'Windows line ends', chunks: ['a\r', '\nb\r\n'], expected: ['> a', '> b', ''] },
  { id: 'a progress bar', chunks: ['10%\r20%\r', '100%\nnext\n'], expected: ['> 100%', '> next', ''] },
  { id: 'empty lines', chunks: ['a\n\nb\n'], expected: ['> a', '> ', '> b', ''] },
])('$id', ({ chunks, expected }) => {
  const stream = log.stream();
  for (const chunk of chunks) stream.write(Buffer.from(chunk));
  stream.end();
  expect(lines()).toEqual(expected);
});

test('a character cut in two stays whole, two streams do not mix within a line', () => {
  const bytes = Buffer.from('Verlust: größer\n');
  const [first, second] = [log.stream(), log.stream()];
  first.write(bytes.subarray(0, 12));
  second.write(Buffer.from('other\n'));
  first.write(bytes.subarray(12));
  expect(lines()).toEqual(['> other', '> Verlust: größer', '']);
  expect(told).toBe(2);
});

test('output without line ends is cut, not collected', () => {
  const stream = log.stream();
  for (let i = 0; i < 40; i++) stream.write(Buffer.alloc(8192, 'x'));
  stream.end();
  expect(Math.max(...lines().map((line) => line.length))).toBeLessThanOrEqual(64 * 1024 + 2);
  expect(lines().join('').replaceAll('> ', '')).toHaveLength(40 * 8192);
});

test('a closed log takes nothing more and does not throw', () => {
  log.dispose();
  log.write('late');
  expect(lines()).toEqual(['']);
});
