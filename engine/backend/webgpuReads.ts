import { EngineError } from '../api/errors.ts';
import type { DawnTurns } from './dawnTurns.ts';
import type { TensorApi } from './types.ts';

type Values = Float32Array | Int32Array | Uint8Array;

/** Reported by Dawn when an operation is refused, which would otherwise leave zeros for its result. */
interface RefusalEvent {
  readonly error: { readonly message: string };
  preventDefault(): void;
}

interface GpuDevice {
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  addEventListener(type: 'uncapturederror', listener: (event: RefusalEvent) => void): void;
}

interface GpuBuffer {
  readonly size: number;
  readonly mapState: 'unmapped' | 'pending' | 'mapped';
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
}

interface TensorData {
  readonly values: Values | null;
  readonly dtype: string;
  readonly resource: GpuBuffer;
}

/** The parts of TensorFlow.js's WebGPU backend that reading a tensor takes. */
interface WebgpuBackend {
  readonly device: GpuDevice;
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number): GpuBuffer;
    releaseBuffer(buffer: GpuBuffer): void;
  };
  readonly commandEncoder: {
    copyBufferToBuffer(from: GpuBuffer, fromByte: number, to: GpuBuffer, toByte: number, size: number): void;
  };
  readonly tensorMap: { get(dataId: object): TensorData };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  convertAndCacheOnCPU(dataId: object, values: Values): Values;
  readSync(dataId: object): Values;
  read(dataId: object): Promise<Values>;
}

/** `GPUMapMode.READ` and `GPUBufferUsage.MAP_READ | COPY_DST` of the WebGPU standard. */
const readMode = 1;
const stagingUsage = 0x1 | 0x8;

/**
 * Makes values come back from WebGPU at once (`dataSync`, `arraySync`), and never those of a GPU that failed. TensorFlow.js's
 * own way draws into a canvas, which only a browser has; here the copy is waited for by taking Dawn's turns. Once the device
 * is lost, is full or has refused an operation, reading throws EngineError `backend.webgpu.lost` | `backend.webgpu.memory` |
 * `backend.webgpu.refused`.
 */
export function readSafely(tf: TensorApi, turns: DawnTurns): void {
  const backend = webgpuBackend(tf.backend());
  const problem = watch(backend.device);
  const own = { read: backend.read.bind(backend), readSync: backend.readSync.bind(backend) };
  const check = () => {
    if (problem.error !== undefined) throw problem.error;
  };
  backend.read = async (dataId) => {
    const values = await own.read(dataId).catch((error: unknown) => {
      check();
      throw lostError(error instanceof Error ? error.message : String(error));
    });
    check();
    return values;
  };
  backend.readSync = (dataId) => {
    const { values, dtype, resource } = backend.tensorMap.get(dataId);
    // Complex numbers come back here as their two parts.
    if (values || dtype === 'string' || dtype === 'complex64') return own.readSync(dataId);
    const bytes = readBuffer(backend, resource, turns);
    check();
    if (bytes === undefined) throw lostError('it does not give memory back');
    const read = tf.util.convertBackendValuesAndArrayBuffer(bytes, dtype as 'float32') as Values;
    return backend.convertAndCacheOnCPU(dataId, read);
  };
}

function watch(device: GpuDevice): { error?: EngineError } {
  const problem: { error?: EngineError } = {};
  device.addEventListener('uncapturederror', (event) => {
    // or Dawn prints it, and all that follow from it
    event.preventDefault();
    const { error } = event;
    problem.error ??= /memory/i.test(error.constructor.name) ? fullError(error.message) : refusedError(error.message);
  });
  void device.lost.then(({ reason, message }) => {
    if (reason !== 'destroyed') problem.error ??= lostError(message);
  });
  return problem;
}

function refusedError(message: string): EngineError {
  return new EngineError(
    'backend.webgpu.refused',
    `The GPU refused an operation, so that its results would be wrong: ${message.trim().replaceAll(/\s*\n\s*/g, ' ')} Train on another backend: \`ACCELHYDRA_BACKEND=wasm\` is one that works everywhere.`,
    { message },
  );
}

function fullError(message: string): EngineError {
  return new EngineError(
    'backend.webgpu.memory',
    `The GPU's memory is full (${firstLine(message)}). Make the batches or the model smaller, start fewer processes, or end what else uses the GPU.`,
    { message },
  );
}

function lostError(message: string): EngineError {
  return new EngineError(
    'backend.webgpu.lost',
    `The GPU is lost to this process (${firstLine(message)}): its driver was restarted, or an operation took too long. Resume from the last checkpoint.`,
    { message },
  );
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

/** The bytes of a buffer of the GPU; undefined when the device is lost. */
function readBuffer(backend: WebgpuBackend, buffer: GpuBuffer, turns: DawnTurns): ArrayBuffer | undefined {
  const { size } = buffer;
  const staging = backend.bufferManager.acquireBuffer(size, stagingUsage);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.commandEncoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  backend.submitQueue();
  // A refusal shows in the buffer's state.
  staging.mapAsync(readMode).catch(() => undefined);
  turns.waitFor(() => staging.mapState !== 'pending');
  if (staging.mapState !== 'mapped') return undefined;
  const bytes = staging.getMappedRange().slice(0);
  staging.unmap();
  backend.bufferManager.releaseBuffer(staging);
  return bytes;
}

function webgpuBackend(backend: unknown): WebgpuBackend {
  if (isWebgpuBackend(backend)) return backend;
  throw new Error("Internal error: TensorFlow.js's WebGPU backend has other parts than it had.");
}

function isWebgpuBackend(backend: unknown): backend is WebgpuBackend {
  return typeof backend === 'object' && backend !== null && 'bufferManager' in backend && 'tensorMap' in backend;
}
