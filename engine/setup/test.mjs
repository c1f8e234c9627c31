// `npm test`: sets up, then every check and test of the project, slow ones last. All run even when one fails; the last line
// says `tests: N passed, N failed`, each check counting as one test.
//
//   npm test [-- --only typecheck,lint,…]       npm run check = the checks without the tests
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { bootstrap, failSetup } from './bootstrap.mjs';
import { build } from './build.mjs';
import { handOver } from './handOver.mjs';
import { compileCacheFolder, modulesFolder, root } from './paths.mjs';

const program = (...path) => join(modulesFolder, ...path);
const sources = ['engine', 'electron', 'renderer', 'test'];
// Colours are for terminals; in a log they would split every word.
const lintFlags = [
  '--diagnostic-level=error',
  '--max-diagnostics=50',
  ...(process.stdout.isTTY ? [] : ['--colors=off']),
];
const checks = [
  { name: 'typecheck', args: [program('typescript', 'bin', 'tsc'), '--noEmit', '-p', root] },
  { name: 'lint', args: [program('@biomejs', 'biome', 'bin', 'biome'), 'ci', ...lintFlags, root] },
  {
    name: 'arch',
    args: [
      program('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
      '--config',
      '.dependency-cruiser.cjs',
      ...sources,
    ],
  },
  { name: 'knip', args: [program('knip', 'bin', 'knip.js'), '--no-progress'] },
];
const projects = ['unit', 'process', 'e2e'];

const say = (text) => process.stdout.write(`${text}\n`);
const flags = process.argv.slice(2);
const only = flags.includes('--only') ? (flags[flags.indexOf('--only') + 1] ?? '').split(',') : undefined;
const wanted = (name) => only === undefined || only.includes(name);
const total = { passed: 0, failed: 0 };
const summary = [];
// Told again below everything else: of a long log people, and those who keep logs, see the end.
const failures = [];

/** Runs one part and adds what it counted. */
async function part(name, work) {
  say(`\n── ${name} ${'─'.repeat(Math.max(0, 60 - name.length))}`);
  const started = Date.now();
  const { passed, failed, skipped = 0, took, told = [] } = await work();
  total.passed += passed;
  total.failed += failed;
  failures.push(...told.map((text) => `✗ ${name}: ${text}`));
  const skippedText = skipped > 0 ? `, ${skipped} skipped` : '';
  const seconds = Math.round((took ?? Date.now() - started) / 100) / 10;
  summary.push(`${failed > 0 ? '✗' : '✓'} ${name}: ${passed} passed, ${failed} failed${skippedText} (${seconds} s)`);
}

/** The checks read and print little: they run side by side. */
function startChecks(node, wantedChecks) {
  return wantedChecks.map(({ name, args }) => ({ name, result: captured(node.path, args) }));
}

/** Each prints as one piece when its turn comes. */
async function finishChecks(running) {
  for (const { name, result } of running)
    await part(name, async () => {
      const { code, output, took } = await result;
      process.stdout.write(output);
      return code === 0 ? { passed: 1, failed: 0, took } : { passed: 0, failed: 1, took };
    });
}

function captured(command, args) {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => output.push(piece));
    const end = (code, said) => resolve({ code, output: said, took: Date.now() - started });
    child.on('error', (error) => end(127, `${command} does not start: ${error.message}\n`));
    child.on('close', (code) => end(code, Buffer.concat(output).toString()));
  });
}

/** One vitest project. A file that does not even load, or an error outside of any test, counts as a failed test. */
async function runProject(node, project) {
  const folder = mkdtempSync(join(tmpdir(), 'accelhydra-test-'));
  const report = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const args = [
      program('vitest', 'vitest.mjs'),
      'run',
      '--root',
      root,
      '--project',
      project,
      '--passWithNoTests',
      ...reporters,
    ];
    // test files each load TensorFlow.js and the like in a process of their own
    const env = { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCacheFolder };
    const code = await handOver(node.path, args, { env });
    const { numPassedTests: passed, numPendingTests: skipped, testResults } = readReport(report);
    const told = testResults.flatMap(toldFailures);
    if (told.length === 0 && code !== 0) told.push(`vitest ended with ${code} outside of any test, see above`);
    return { passed, failed: told.length, skipped, told };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A text for each failed test of a file, or one for a file that does not load. */
function toldFailures({ name, status, message, assertionResults }) {
  const file = relative(root, name);
  if (status === 'failed' && assertionResults.length === 0) return [`${file} does not load\n${beginning(message)}`];
  return assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => `${file} > ${test.fullName}\n${beginning(test.failureMessages.join('\n'))}`);
}

const beginning = (text) =>
  stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => !line.includes('node_modules'))
    .slice(0, 20)
    .map((line) => `    ${line.slice(0, 200)}`)
    .join('\n');

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // No report: vitest ended before it ran anything; its exit code then counts as the failure.
    return { numPassedTests: 0, numPendingTests: 0, testResults: [] };
  }
}

try {
  process.chdir(root);
  let running;
  // none of them needs TensorFlow, which is mostly waited for
  const begin = (node) => {
    running ??= startChecks(
      node,
      checks.filter(({ name }) => wanted(name)),
    );
  };
  const { node } = await bootstrap({ onPackages: begin });
  begin(node);
  await finishChecks(running);
  if (!flags.includes('--checks')) {
    await part('build', async () => {
      try {
        await build(node, say);
        return { passed: 1, failed: 0 };
      } catch (error) {
        say(error.message);
        return { passed: 0, failed: 1 };
      }
    });
    for (const project of projects.filter(wanted)) await part(project, () => runProject(node, project));
  }
  if (failures.length > 0) say(`\n${failures.join('\n\n')}`);
  say(`\n${summary.join('\n')}\n`);
  process.exitCode = total.failed > 0 ? 1 : 0;
  say(`tests: ${total.passed} passed, ${total.failed} failed`);
} catch (error) {
  failSetup(error, 'test');
}
