import { expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import type { Progress } from '../../../engine/api/training.ts';
import { exitCodeOf } from '../../../engine/cli/exitCodes.ts';
import { formatMetric, formatTable } from '../../../engine/cli/ui/format.ts';
import { printError } from '../../../engine/cli/ui/printError.ts';
import { ProgressLine } from '../../../engine/cli/ui/progressLine.ts';
import { cutVisible, Terminal } from '../../../engine/cli/ui/terminal.ts';

const ESCAPE = String.fromCharCode(27);

function terminal(isTTY: boolean, environment: NodeJS.ProcessEnv = {}) {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    isTTY,
    columns: 60,
    write: (text: string) => {
      written[name] += text;
    },
  });
  return { written, terminal: new Terminal({ stdout: stream('out'), stderr: stream('err'), environment }) };
}

test.each([
  { id: 'a pipe', isTTY: false, environment: {}, coloured: false },
  { id: 'a terminal', isTTY: true, environment: {}, coloured: true },
  { id: 'NO_COLOR', isTTY: true, environment: { NO_COLOR: '1' }, coloured: false },
  { id: 'an empty NO_COLOR', isTTY: true, environment: { NO_COLOR: '' }, coloured: true },
  { id: 'FORCE_COLOR on a pipe', isTTY: false, environment: { FORCE_COLOR: '1' }, coloured: true },
  { id: 'NO_COLOR over FORCE_COLOR', isTTY: true, environment: { NO_COLOR: '1', FORCE_COLOR: '1' }, coloured: false },
  { id: 'a dumb terminal', isTTY: true, environment: { TERM: 'dumb' }, coloured: false },
])('colours on $id: $coloured', ({ isTTY, environment, coloured }) => {
  expect(terminal(isTTY, environment).terminal.paint('red', 'x').includes(ESCAPE)).toBe(coloured);
});

test('a status line makes room for text and comes back', () => {
  const { terminal: screen, written } = terminal(true, { NO_COLOR: '1' });
  screen.status('working');
  screen.note('hello');
  screen.clearStatus();
  const clear = `\r${ESCAPE}[2K`;
  expect(written.err).toBe(`${clear}working${clear}hello\nworking${clear}`);
});

test('a pipe gets no status line', () => {
  const { terminal: screen, written } = terminal(false);
  screen.status('working');
  screen.clearStatus();
  expect(written).toEqual({ out: '', err: '' });
});

test('cutting counts what is seen', () => {
  expect(cutVisible(`${ESCAPE}[31mabcdef${ESCAPE}[39m`, 3)).toBe(`${ESCAPE}[31mabc${ESCAPE}[39m`);
  expect(cutVisible('abc', 3)).toBe('abc');
});

test.each([
  { value: 0, text: '0' },
  { value: 0.23144, text: '0.2314' },
  { value: 12.3456, text: '12.35' },
  { value: 1.2e-5, text: '1.200e-5' },
  { value: Number.NaN, text: 'NaN' },
  { value: 8, text: '8' },
])('the metric $value is shown as $text', ({ value, text }) => {
  expect(formatMetric(value)).toBe(text);
});

test('a table aligns by what is seen', () => {
  const rows = [
    { name: `${ESCAPE}[31ma${ESCAPE}[39m`, size: '10' },
    { name: 'long', size: '9' },
  ];
  expect(
    formatTable(rows, [
      { title: 'NAME', cell: (row) => row.name },
      { title: 'SIZE', cell: (row) => row.size, align: 'right' },
    ]),
  ).toBe(`NAME  SIZE\n${ESCAPE}[31ma${ESCAPE}[39m       10\nlong     9`);
});

function progress(changes: Partial<Progress>): Progress {
  return {
    phase: 'training',
    epoch: 0,
    epochs: 3,
    step: 0,
    totalSteps: 300,
    epochStep: 0,
    epochLength: 100,
    samplesPerSecond: 0,
    ...changes,
  };
}

test('a pipe gets a line per stage, one every few seconds, and the last state', () => {
  const { terminal: pipe, written } = terminal(false);
  let now = 0;
  const line = new ProgressLine(pipe, { now: () => now });
  line.show(progress({ phase: 'starting' }));
  line.show(progress({ step: 1, loss: 2.31, samplesPerSecond: 5120, etaMs: 23_000 }));
  now = 1000;
  line.show(progress({ step: 2 }));
  now = 6000;
  line.show(progress({ step: 3 }));
  line.show(progress({ step: 300, epoch: 3, phase: 'finishing' }));
  line.show(progress({ step: 300, epoch: 3, phase: 'finishing', loss: Number.NaN }));
  line.end();
  expect(written.err.split('\n')).toEqual([
    'epoch 1/3  starting  step 0/300',
    'epoch 1/3  training  step 1/300  loss 2.310  5,120 samples/s  ETA 23 s',
    'epoch 1/3  training  step 3/300',
    'epoch 3/3  finishing  step 300/300',
    'epoch 3/3  finishing  step 300/300  loss NaN',
    '',
  ]);
});

test('a terminal gets a bar that is no wider than it', () => {
  const { terminal: screen, written } = terminal(true, { NO_COLOR: '1' });
  new ProgressLine(screen, { now: () => 0 }).show(
    progress({ epochStep: 50, loss: 1, samplesPerSecond: 100, etaMs: 1 }),
  );
  expect(written.err).toContain('━━━━━━━━━━━━────────────');
  expect(written.err.replace(`\r${ESCAPE}[2K`, '').length).toBeLessThan(60);
});

test.each([
  { id: 'for a person', debug: false, shown: ['error: No such run.'], hidden: ['code:', 'at '] },
  { id: 'with --debug', debug: true, shown: ['No such run.', 'code: runs.not-found', 'at '], hidden: [] },
])('an error $id', ({ debug, shown, hidden }) => {
  const { terminal: pipe, written } = terminal(false);
  printError(pipe, new EngineError('runs.not-found', 'No such run.', { id: 'x' }), debug);
  for (const text of shown) expect(written.err).toContain(text);
  for (const text of hidden) expect(written.err).not.toContain(text);
});

test('a defect of ours says so', () => {
  const { terminal: pipe, written } = terminal(false);
  printError(pipe, new TypeError('x is not a function'), false);
  expect(written.err).toContain('x is not a function');
  expect(written.err).toContain('--debug');
});

test.each([
  { code: 'usage.arguments', exit: 2 },
  { code: 'config.missing-config-exception', exit: 2 },
  { code: 'runs.not-found', exit: 2 },
  { code: 'runs.store-locked', exit: 3 },
  { code: 'serve.port-taken', exit: 3 },
  { code: 'cancelled', exit: 130 },
  { code: 'launch.start-failed', exit: 1 },
])('$code ends with $exit', ({ code, exit }) => {
  expect(exitCodeOf(new EngineError(code, ''))).toBe(exit);
});
