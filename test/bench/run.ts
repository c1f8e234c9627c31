// `npm run bench [-- FILTER] [--json FILE] [--python PROGRAM]`: every `*.bench.ts` here, each in a process of its own, one after the other.
// A bench file exports `benchmarks` or `tournaments`. FILTER keeps the files and benchmarks whose name contains it. PROGRAM
// (or ACCELHYDRA_BENCH_PYTHON, else python3) is asked for PyTorch and Keras.
import { spawn } from 'node:child_process';
import { appendFileSync, globSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { BenchmarkResult } from './benchmark.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, python: { type: 'string' }, help: { type: 'boolean' } },
});

if (values.help) {
  process.stdout.write('npm run bench [-- FILTER] [--json FILE] [--python PROGRAM]\n');
} else {
  if (values.python !== undefined) process.env.ACCELHYDRA_BENCH_PYTHON = values.python;
  process.exitCode = await runAll(positionals[0] ?? '', values.json);
}

async function runAll(filter: string, json: string | undefined): Promise<number> {
  const files = globSync('*.bench.ts', { cwd: import.meta.dirname }).sort();
  const chosen = files.filter((file) => basename(file, '.bench.ts').includes(filter));
  // A filter that is no file's name may name single benchmarks: their files are loaded to find out.
  const tasks =
    chosen.length > 0 ? chosen.map((file) => ({ file, only: '' })) : files.map((file) => ({ file, only: filter }));
  if (json !== undefined) writeFileSync(json, '');
  process.stdout.write(`${row(['benchmark', 'ours', 'peer', 'ratio', 'min … max', 'n'])}\n`);
  let count = 0;
  let failed = 0;
  for (const { file, only } of tasks) {
    const code = await runFile(join(import.meta.dirname, file), only, (result) => {
      count++;
      if (json !== undefined) appendFileSync(json, `${JSON.stringify(result)}\n`);
      process.stdout.write(`${describe(result)}\n`);
    });
    if (code !== 0) {
      failed++;
      process.stdout.write(`${file} failed (exit code ${code})\n`);
    }
  }
  if (count === 0 && failed === 0) process.stdout.write(`No benchmark has '${filter}' in its name.\n`);
  return failed > 0 || count === 0 ? 1 : 0;
}

/** One bench file in a process of its own: threads and backend are chosen once per process. */
function runFile(file: string, only: string, onResult: (result: BenchmarkResult) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'runFile.ts'), file, only], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      if (line.startsWith('{"bench":')) onResult(JSON.parse(line) as BenchmarkResult);
      else process.stdout.write(`${line}\n`);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function describe(result: BenchmarkResult): string {
  const peer = result.peer === null ? '' : number(result.peer);
  const ratio = result.ratio === null ? '' : `${result.ratio.toFixed(2)}×`;
  const range = `${number(result.min)} … ${number(result.max)}`;
  const name = `${result.bench}: ${result.metric} [${result.unit}]`;
  return row([name, number(result.ours), peer, ratio, range, String(result.n)]);
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

function row(cells: readonly string[]): string {
  const widths = [64, 10, 10, 8, 20, 4];
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(64) : cell.padStart(widths[index] ?? 10))).join(' ');
}
