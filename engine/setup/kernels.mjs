// TensorFlow operations of our own (engine/backend/native), compiled here against whichever TensorFlow was found. Not having
// them is no failure: TensorFlow's own do the same work in more steps.
import { existsSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileKey, compileLibrary, filesIn, findCompiler, installLibrary, noCompiler, verify } from './compile.mjs';
import { installedKernels, root, tensorflowFolder } from './paths.mjs';

const what = 'the library of kernels';
const nativeFolder = join(root, 'engine', 'backend', 'native');
/** TensorFlow's headers take nearly all of the time, whatever the level. */
const flags = ['-O3', '-fno-math-errno', '-fno-trapping-math', '-fopenmp-simd', '-DEIGEN_MAX_ALIGN_BYTES=64'];
/** Begun beside the binding and waited for later, so kept by what is built. */
const compiles = new Map();

/**
 * Names what is built from these sources for this TensorFlow. Its C++ interface changes with each version, also of one that
 * is exchanged where it lies, so the key goes by what lies there and not by what was once recorded.
 * @param {{ include: string, libraries: string[] }} layout
 * @param {string} [folder] of the sources
 */
export function kernelsKey({ include, libraries }, folder = nativeFolder) {
  const builds = libraries.map((path) => {
    const status = statSync(path, { throwIfNoEntry: false });
    return status && [status.size, status.mtimeMs];
  });
  return compileKey([include, libraries, builds, flags], filesIn(folder));
}

/** Why they cannot be built for this TensorFlow, or undefined. */
export function kernelsObstacle(layout) {
  const header = join(layout.include, 'tensorflow', 'core', 'framework', 'op_kernel.h');
  if (!existsSync(header)) return 'this TensorFlow comes without C++ headers';
  if (findCompiler() !== undefined || existsSync(builtKernels(layout))) return undefined;
  return noCompiler('them');
}

/** Whether what the record says of them still holds. Looks at files only, on every start. */
export function kernelsStand(tensorflow) {
  if (tensorflow.source === 'none') return true;
  const { kernels } = tensorflow;
  return kernels?.key === kernelsKey(tensorflow) && (!kernels.built || existsSync(installedKernels));
}

/** Compiles them, once for each TensorFlow and state of the sources. Never throws. */
export function compileKernels(layout) {
  const built = builtKernels(layout);
  if (!compiles.has(built)) compiles.set(built, compile(built, layout));
  return compiles.get(built);
}

/**
 * Builds, tries and installs them. Whatever keeps them from it costs speed only, and is told.
 * @param {object} tensorflow the `tensorflow` part of the record
 * @returns {Promise<object | undefined>} the `kernels` part of it, undefined where there is no TensorFlow
 */
export async function ensureKernels(report, node, tensorflow) {
  if (tensorflow.source === 'none') return undefined;
  if (kernelsStand(tensorflow)) {
    report.skip('kernels', tensorflow.kernels.built ? 'built' : tensorflow.kernels.reason);
    return tensorflow.kernels;
  }
  removeKernels();
  const key = kernelsKey(tensorflow);
  const obstacle = kernelsObstacle(tensorflow);
  if (obstacle !== undefined) {
    report.skip('kernels', obstacle);
    return { built: false, key, reason: obstacle };
  }
  const { kernels } = await report.step('kernels', 'building TensorFlow kernels of our own', async () => {
    const made = await build(node, tensorflow);
    return made.ok
      ? { outcome: 'done', detail: 'built and tried', kernels: { built: true, key, version: made.version } }
      : {
          outcome: 'failed',
          detail: `${made.problem}; TensorFlow's own will be used`,
          kernels: { built: false, key, reason: made.problem },
        };
  });
  return kernels;
}

/** What is installed was built for one TensorFlow; no process may load it beside another. */
export function removeKernels() {
  rmSync(installedKernels, { force: true });
}

/**
 * Loads them in a process of its own and computes with one.
 * @param {string} library
 * @returns {Promise<{ ok: boolean, problem: string, version?: string }>} `version` of TensorFlow
 */
export function verifyKernels(node, library) {
  // Operations of the same names must not be there already; and they are for the CPU.
  return verify(node, 'verifyKernels.mjs', [library], { ACCELHYDRA_KERNELS: 'plain', CUDA_VISIBLE_DEVICES: '-1' });
}

async function build(node, layout) {
  const compiled = await compileKernels(layout);
  if (!compiled.ok) return compiled;
  const built = builtKernels(layout);
  const verified = await verifyKernels(node, built);
  if (!verified.ok) {
    rmSync(dirname(built), { recursive: true, force: true });
    return { ...verified, problem: `${what} was built, but ${verified.problem}` };
  }
  try {
    installLibrary(built, installedKernels);
    return verified;
  } catch (error) {
    return { ok: false, problem: `${what} cannot be installed: ${error.message}` };
  }
}

async function compile(built, layout) {
  const obstacle = kernelsObstacle(layout);
  if (obstacle !== undefined) return { ok: false, problem: obstacle };
  const sources = filesIn(nativeFolder).filter((path) => path.endsWith('.cc'));
  return compileLibrary(built, { what, layout, sources, flags: [...flags, '-isystem', layout.include] });
}

function builtKernels(layout) {
  return join(tensorflowFolder, 'kernels', kernelsKey(layout), 'accelhydra_kernels.node');
}
