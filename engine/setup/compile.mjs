// Libraries that Node loads, compiled here against the TensorFlow that was found, and tried.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { modulesFolder, root } from './paths.mjs';
import { findOnPath, run } from './processes.mjs';

/** The compiler to use, or undefined. */
export function findCompiler() {
  const named = process.env.CXX;
  if (named) return findOnPath(named) ?? (existsSync(named) ? named : undefined);
  return findOnPath('g++', 'c++', 'clang++');
}

/** What to say where there is none. */
export const noCompiler = (what) => `no C++ compiler (install g++) to build ${what} with`;

/** The files of a folder with their full paths, sorted. */
export function filesIn(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Names what is built from these files: it changes with any of them, with the platform and with what else is told.
 * @param {unknown} more plain data
 * @param {readonly string[]} files
 */
export function compileKey(more, files) {
  const hash = createHash('sha256').update(JSON.stringify([more, process.platform, process.arch]));
  for (const path of files) hash.update(readFileSync(path)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/**
 * Compiles a library unless it is there. Never throws.
 * @param {string} built where it goes
 * @param {{ what: string, layout: { libraries: string[] }, sources: readonly string[], flags: readonly string[] }} of
 *   `layout`: the TensorFlow to link with
 * @returns {Promise<{ ok: boolean, problem: string }>}
 */
export async function compileLibrary(built, { what, layout, sources, flags }) {
  if (existsSync(built)) return { ok: true, problem: '' };
  const compiler = findCompiler();
  if (compiler === undefined) return { ok: false, problem: noCompiler(what) };
  const drafts = `${built}.${process.pid}`;
  const library = join(drafts, 'library');
  const objects = sources.map((_, i) => join(drafts, `${i}.o`));
  const call = async (args) => {
    const done = await run(compiler, args, { timeoutMs: 300_000 });
    return done.ok ? undefined : `${what} does not compile: ${done.problem}`;
  };
  try {
    mkdirSync(drafts, { recursive: true });
    const problem =
      (await inTurns(sources, (source, i) => call([...compilerFlags(), ...flags, '-c', source, '-o', objects[i]]))) ??
      (await call([...linkerFlags(), '-o', library, ...objects, ...linkArguments(layout)]));
    if (problem !== undefined) return { ok: false, problem };
    renameSync(library, built);
    return { ok: true, problem: '' };
  } catch (error) {
    return { ok: false, problem: `${what} cannot be kept: ${error.message}` };
  } finally {
    rmSync(drafts, { recursive: true, force: true });
  }
}

/** Some at a time: a compiler that reads TensorFlow's headers takes up to a gigabyte. Gives the first problem, and stops there. */
async function inTurns(items, work) {
  let next = 0;
  let problem;
  const worker = async () => {
    while (next < items.length && problem === undefined) {
      const index = next++;
      const found = await work(items[index], index);
      problem ??= found;
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  return problem;
}

/** Puts a library where it is loaded from. */
export function installLibrary(built, installed) {
  mkdirSync(dirname(installed), { recursive: true });
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(built))) return;
  // Renamed into place: a process that has the old one mapped keeps it.
  const draft = `${installed}.${process.pid}`;
  copyFileSync(built, draft);
  renameSync(draft, installed);
}

/**
 * Runs a script of this folder, which ends with a line of JSON or with its error, in a process of its own.
 * @returns {Promise<{ ok: boolean, problem: string }>} with what the line says
 */
export async function verify(node, script, args = [], environment = {}) {
  const env = { ...process.env, ...environment };
  // Asked for explicitly: the switch that turns TensorFlow off for runs must not fail the check.
  delete env.ACCELHYDRA_TENSORFLOW;
  const path = join(root, 'engine', 'setup', script);
  const result = await run(node.path, [path, ...args], { cwd: root, env, timeoutMs: 240_000 });
  if (!result.ok) return { ok: false, problem: `it does not run: ${result.problem}` };
  return { ok: true, problem: '', ...JSON.parse(result.stdout.trim().split('\n').at(-1)) };
}

function compilerFlags() {
  const headers = ['-I', join(modulesFolder, 'node-api-headers', 'include')];
  return ['-std=c++17', '-w', '-fPIC', '-DNAPI_VERSION=8', ...headers];
}

function linkerFlags() {
  return ['-shared', ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [])];
}

function linkArguments(layout) {
  const folders = [...new Set(layout.libraries.map((path) => dirname(path)))];
  return [...layout.libraries, ...folders.map((folder) => `-Wl,-rpath,${folder}`)];
}
