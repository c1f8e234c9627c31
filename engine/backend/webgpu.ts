import { createRequire } from 'node:module';
import { EngineError } from '../api/errors.ts';
import { addInParts } from './addInParts.ts';
import { borrowKernels } from './borrowedKernels.ts';
import { DawnTurns } from './dawnTurns.ts';
import type { LoadedBackend, TensorApi } from './types.ts';
import { quietJavascriptBackend } from './wasm.ts';
import { readSafely } from './webgpuReads.ts';

const require = createRequire(import.meta.url);

interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

interface Adapter {
  readonly info: AdapterInfo;
}

interface Gpu {
  requestAdapter(options?: { readonly powerPreference?: string }): Promise<Adapter | null>;
}

// Dawn's entry object must outlive every device made from it, or the process crashes when it is collected.
let entry: Gpu | undefined;
const turns = new DawnTurns();

/**
 * Makes WebGPU (npm `webgpu`, Dawn) the backend.
 * @param allowSoftware also take an adapter that only imitates a GPU on the CPU (SwiftShader, llvmpipe)
 * @throws EngineError `backend.webgpu.missing` | `backend.webgpu.software` | `backend.webgpu.failed`
 */
export async function loadWebgpu(allowSoftware: boolean): Promise<Omit<LoadedBackend, 'passedOver'>> {
  const info = await findAdapter();
  const software = isSoftware(info);
  if (software && !allowSoftware) {
    throw new EngineError(
      'backend.webgpu.software',
      `WebGPU only finds ${adapterText(info)}, which runs on the CPU and is slower than WebAssembly there.`,
      { adapter: adapterText(info) },
    );
  }
  const tf: TensorApi = require('@tensorflow/tfjs');
  require('@tensorflow/tfjs-backend-webgpu');
  quietJavascriptBackend(tf);
  if (!(await tf.setBackend('webgpu'))) {
    throw new EngineError('backend.webgpu.failed', `WebGPU found ${adapterText(info)} but gave no device.`, {});
  }
  await tf.ready();
  readSafely(tf, turns);
  addInParts(tf);
  borrowKernels(tf, 'webgpu');
  return { tf, name: 'webgpu', description: `WebGPU on ${adapterText(info)}`, gpu: !software };
}

async function findAdapter(): Promise<AdapterInfo> {
  if (lacksVulkanLoader()) throw noAdapter('the Vulkan loader libvulkan.so.1 is not installed (Debian: libvulkan1)');
  const { create, globals } = await importDawn();
  if (entry === undefined) {
    Object.assign(globalThis, globals);
    turns.listen();
    entry = create([]);
    Object.defineProperty(globalThis.navigator, 'gpu', { value: entry, configurable: true });
  }
  const adapter = await entry.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw noAdapter('no Vulkan, Metal or Direct3D driver answers');
  return adapter.info;
}

function noAdapter(why: string): EngineError {
  const advice = "Install your GPU's driver, or name a driver's ICD file in VK_ICD_FILENAMES.";
  return new EngineError('backend.webgpu.missing', `WebGPU finds no GPU: ${why}. ${advice}`, {});
}

/** Dawn would print a warning of its own about it, on every start. */
function lacksVulkanLoader(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
    return false;
  } catch (error) {
    // A loader that is there fails otherwise: it is no Node addon.
    return error instanceof Error && /cannot open shared object/.test(error.message);
  }
}

async function importDawn(): Promise<{ create(flags: string[]): Gpu; globals: object }> {
  try {
    const dawn: { create(flags: string[]): Gpu; globals: object } = await import('webgpu');
    return dawn;
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EngineError(
      'backend.webgpu.missing',
      `WebGPU's library does not load here: ${cause}`,
      {},
      { cause: error },
    );
  }
}

function isSoftware(info: AdapterInfo): boolean {
  return info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(adapterText(info));
}

function adapterText(info: AdapterInfo): string {
  // NVIDIA's description names only its driver
  const name = info.device || [info.vendor, info.architecture].filter(Boolean).join(' ');
  if (!name) return info.description || 'an adapter';
  return info.description ? `${name} (${info.description})` : name;
}
