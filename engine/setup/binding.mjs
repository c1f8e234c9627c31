// The native half of @tensorflow/tfjs-node-gpu, compiled here against whichever TensorFlow was found. Its C API has been
// stable since 2.4, so the package's own sources build against today's wheels unchanged.
import { join } from 'node:path';
import { compileKey, compileLibrary, filesIn, installLibrary, verify } from './compile.mjs';
import { bindingPackage, installedBinding, tensorflowFolder } from './paths.mjs';

/**
 * Compiles the binding (once for each TensorFlow; later calls find the result) and puts it where the package loads it.
 * @param {{ include: string, libraries: string[] }} layout
 * @param {string} version of TensorFlow, part of the cache key
 * @returns {Promise<{ ok: boolean, problem: string }>}
 */
export async function buildBinding(layout, version) {
  const folder = join(bindingPackage, 'binding');
  const files = filesIn(folder);
  const built = join(tensorflowFolder, 'bindings', compileKey([layout, version], files), 'tfjs_binding.node');
  const compiled = await compileLibrary(built, {
    what: 'the binding',
    layout,
    sources: files.filter((path) => path.endsWith('.cc')),
    flags: ['-O2', '-I', layout.include, '-I', folder],
  });
  if (compiled.ok) installLibrary(built, installedBinding);
  return compiled;
}

/**
 * Loads TensorFlow in a process of its own and multiplies two matrices with it.
 * @returns {Promise<{ ok: boolean, problem: string, version?: string, gpu?: boolean }>}
 */
export function verifyBinding(node) {
  return verify(node, 'verifyTensorflow.mjs');
}
