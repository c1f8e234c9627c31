// The native half of @tensorflow/tfjs-node-gpu, compiled here against whichever TensorFlow was found. Its C API has been
// stable since 2.4, so the package's own sources build against today's wheels unchanged.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bindingPackage, installedBinding, modulesFolder, root, tensorflowFolder } from './paths.mjs';
import { findOnPath, run } from './processes.mjs';

/** The compiler to use, or undefined. */
export function findCompiler() {
  const named = process.env.CXX;
  if (named) return findOnPath(named) ?? (existsSync(named) ? named : undefined);
  return findOnPath('g++', 'c++', 'clang++');
}

/**
 * Compiles the binding (once for each TensorFlow; later calls find the result) and puts it where the package loads it.
 * @param {{ include: string, libraries: string[] }} layout
 * @param {string} version of TensorFlow, part of the cache key
 * @returns {Promise<{ ok: boolean, problem: string }>}
 */
export async function buildBinding(layout, version) {
  const built = join(tensorflowFolder, 'bindings', cacheKey(layout, version), 'tfjs_binding.node');
  if (!existsSync(built)) {
    const compiler = findCompiler();
    if (compiler === undefined)
      return { ok: false, problem: 'no C++ compiler (install g++) to build the binding with' };
    mkdirSync(dirname(built), { recursive: true });
    const draft = `${built}.${process.pid}`;
    const compiled = await run(compiler, compilerArguments(layout, draft), { timeoutMs: 300_000 });
    if (!compiled.ok) {
      rmSync(draft, { force: true });
      return { ok: false, problem: `the binding does not compile: ${compiled.problem}` };
    }
    renameSync(draft, built);
  }
  install(built);
  return { ok: true, problem: '' };
}

/**
 * Loads TensorFlow in a process of its own and multiplies two matrices with it.
 * @returns {Promise<{ ok: boolean, problem: string, version?: string, gpu?: boolean }>}
 */
export async function verifyBinding(node) {
  const env = { ...process.env };
  // Asked for explicitly: the switch that turns TensorFlow off for runs must not fail the check.
  delete env.ACCELHYDRA_TENSORFLOW;
  const script = join(root, 'engine', 'setup', 'verifyTensorflow.mjs');
  const result = await run(node.path, [script], { cwd: root, env, timeoutMs: 240_000 });
  if (!result.ok) return { ok: false, problem: `it does not run: ${result.problem}` };
  return { ok: true, problem: '', ...JSON.parse(result.stdout.trim().split('\n').at(-1)) };
}

function compilerArguments(layout, output) {
  const sources = sourceFiles().filter((path) => path.endsWith('.cc'));
  const headers = join(modulesFolder, 'node-api-headers', 'include');
  const folders = [...new Set(layout.libraries.map((path) => dirname(path)))];
  const platform = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-fPIC'];
  return [
    ...['-shared', '-O2', '-std=c++17', '-w', '-DNAPI_VERSION=8', ...platform],
    ...['-I', headers, '-I', layout.include, '-I', join(bindingPackage, 'binding'), '-o', output],
    ...sources,
    ...layout.libraries,
    ...folders.map((folder) => `-Wl,-rpath,${folder}`),
  ];
}

function install(built) {
  mkdirSync(dirname(installedBinding), { recursive: true });
  if (existsSync(installedBinding) && readFileSync(installedBinding).equals(readFileSync(built))) return;
  // Renamed into place: a process that has the old one mapped keeps it.
  const draft = `${installedBinding}.${process.pid}`;
  copyFileSync(built, draft);
  renameSync(draft, installedBinding);
}

function sourceFiles() {
  const folder = join(bindingPackage, 'binding');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

function cacheKey(layout, version) {
  const hash = createHash('sha256').update(JSON.stringify([layout, version, process.platform, process.arch]));
  for (const path of sourceFiles()) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}
