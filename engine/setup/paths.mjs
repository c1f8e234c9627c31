// Where set-up keeps things. Plain JavaScript on purpose: this runs on whatever Node starts it, before anything is installed.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Everything set-up fetches or builds, ignored by Git; may be deleted at any time. */
export const runtimeFolder = join(root, '.runtime');
export const recordFile = join(runtimeFolder, 'setup.json');
export const lockFile = join(runtimeFolder, 'setup.lock');
export const nodeFolder = join(runtimeFolder, 'node');
export const tensorflowFolder = join(runtimeFolder, 'tensorflow');
export const compileCacheFolder = join(runtimeFolder, 'compile-cache');
export const modulesFolder = join(root, 'node_modules');
export const bindingPackage = join(modulesFolder, '@tensorflow', 'tfjs-node-gpu');

/** Where the binding package looks for its native half. */
export const installedBinding = join(bindingPackage, 'lib', 'napi-v8', 'tfjs_binding.node');
/** Where the engine looks for TensorFlow operations of our own. */
export const installedKernels = join(bindingPackage, 'lib', 'napi-v8', 'accelhydra_kernels.node');
