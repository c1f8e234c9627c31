import { EngineError } from '../api/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import { loadTensorflow } from './tensorflow.ts';
import { type BackendName, type BackendRequest, backendNames, type LoadedBackend } from './types.ts';
import { loadJavascript, loadWasm } from './wasm.ts';
import { loadWebgpu } from './webgpu.ts';

/**
 * Loads a tensor backend and makes it current on the one `@tensorflow/tfjs` of this process, the same that project code
 * imports. A named backend is taken or refused; `auto` takes the best that works and says why others were passed over.
 *
 * Call it once, before the first tensor, on the main thread of a process.
 * @throws EngineError `backend.unknown`, or the reason of the named backend
 */
export async function loadBackend(request: BackendRequest = {}): Promise<LoadedBackend> {
  const wanted = request.backend ?? wantedBackend();
  if (wanted !== 'auto') return { ...(await loadNamedBackend(wanted, request, true)), passedOver: [] };
  const passedOver: { name: BackendName; reason: string }[] = [];
  for (const name of backendNames) {
    if (name === 'webgpu' && request.cpuOnly === true) {
      passedOver.push({ name, reason: 'only the CPU is to be used' });
      continue;
    }
    try {
      return { ...(await loadNamedBackend(name, request, false)), passedOver };
    } catch (error) {
      passedOver.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  throw new EngineError('backend.none', 'No tensor backend works in this process.', { passedOver });
}

/** What ACCELHYDRA_BACKEND names; anything else there is refused when it is loaded. */
export function wantedBackend(): string {
  return process.env.ACCELHYDRA_BACKEND || 'auto';
}

/**
 * Loads one backend. `explicit` means that a person asked for it by name, so a slow imitation of a GPU is taken too.
 * @throws EngineError why it cannot be had
 */
export function loadNamedBackend(
  name: string,
  request: BackendRequest,
  explicit: boolean,
): Promise<Omit<LoadedBackend, 'passedOver'>> {
  switch (name) {
    case 'tensorflow':
      return Promise.resolve().then(() => loadTensorflow(request));
    case 'webgpu':
      return loadWebgpu(explicit);
    case 'wasm':
      return loadWasm();
    case 'cpu':
      return loadJavascript();
    default:
      throw new EngineError(
        'backend.unknown',
        `There is no backend '${name}'. Known: auto, ${backendNames.join(', ')}.${didYouMean(name, backendNames)}`,
        { backend: name, known: backendNames },
      );
  }
}
