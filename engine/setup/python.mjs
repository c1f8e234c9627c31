// Finds TensorFlow in the user's own Pythons without importing it (an import takes seconds and may fail for other reasons).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from './processes.mjs';

const probe = `
import importlib.util, json, os, sys
folder = version = None
try:
    spec = importlib.util.find_spec('tensorflow')
    folder = spec and list(spec.submodule_search_locations or [])[0]
except Exception:
    pass
if folder:
    from importlib import metadata
    for name in ('tensorflow', 'tensorflow-cpu', 'tensorflow-gpu', 'tf-nightly', 'tensorflow-macos', 'tensorflow-rocm'):
        try:
            version = metadata.version(name); break
        except metadata.PackageNotFoundError:
            pass
info = os.path.join(folder, 'python', 'platform', 'build_info.py') if folder else ''
text = open(info).read() if os.path.exists(info) else ''
print(json.dumps({'folder': folder, 'version': version, 'prefix': sys.prefix, 'cuda': 'cuda_version' in text,
  'python': '%d.%d' % sys.version_info[:2]}))
`;

/** Pythons worth asking, the one the user named or activated first. */
export function pythonCandidates() {
  const named = process.env.ACCELHYDRA_PYTHON;
  if (named) return [named];
  const inEnvironment = (folder) =>
    folder === undefined
      ? []
      : [join(folder, 'bin', 'python'), join(folder, 'Scripts', 'python.exe'), join(folder, 'python.exe')];
  const found = [
    ...inEnvironment(process.env.VIRTUAL_ENV),
    ...inEnvironment(process.env.CONDA_PREFIX),
    ...['python3', 'python', 'python3.13', 'python3.12', 'python3.11', 'python3.10'].map((name) => findOnPath(name)),
  ].filter((path) => path !== undefined && existsSync(path));
  return [...new Set(found)];
}

/**
 * @returns {Promise<{ python: string, version?: string, cuda: boolean, layout: object }[]>} usable TensorFlows, CUDA
 *   builds first, then in the order of the candidates; with `notes` on those that cannot be used
 */
export async function findTensorflows() {
  const notes = [];
  const found = [];
  const seen = new Set();
  for (const python of pythonCandidates()) {
    const answer = await askPython(python);
    if (answer === undefined || !answer.folder || seen.has(answer.folder)) continue;
    seen.add(answer.folder);
    const layout = libraryLayout(answer.folder, answer.prefix);
    if (layout === undefined)
      notes.push(`TensorFlow ${answer.version ?? ''} of ${python} has no C library to link against`);
    else found.push({ python, version: answer.version ?? undefined, cuda: answer.cuda, layout });
  }
  found.sort((a, b) => Number(b.cuda) - Number(a.cuda));
  return { found, notes };
}

/** What a Python says of itself, or undefined when it does not run. */
export async function askPython(python) {
  const result = await run(python, ['-c', probe], { timeoutMs: 30_000 });
  if (!result.ok) return undefined;
  return JSON.parse(result.stdout.trim().split('\n').at(-1));
}

/**
 * Headers and libraries of an installed TensorFlow package.
 * @param {string} folder the `tensorflow` package
 * @param {string} [prefix] the environment, where conda keeps shared libraries
 * @returns {{ include: string, libraries: string[] } | undefined}
 */
export function libraryLayout(folder, prefix) {
  const include = join(folder, 'include');
  if (!existsSync(join(include, 'tensorflow', 'c', 'eager', 'c_api.h'))) return undefined;
  const names =
    process.platform === 'darwin'
      ? ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib']
      : ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  for (const place of [folder, prefix && join(prefix, 'lib')]) {
    if (!place) continue;
    const libraries = names.map((name) => join(place, name));
    if (libraries.every((path) => existsSync(path))) return { include, libraries };
  }
  return undefined;
}
