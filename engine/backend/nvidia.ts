import type { DeviceInfo } from '../api/machine.ts';
import { askProgram, findProgram } from './askProgram.ts';

const fields = [
  'index',
  'uuid',
  'name',
  'memory.total',
  'memory.used',
  'utilization.gpu',
  'temperature.gpu',
  'driver_version',
];
const bytesPerMebibyte = 1024 ** 2;

export interface NvidiaGpu extends DeviceInfo {
  readonly uuid: string;
}

/** GPUs that NVIDIA's driver reports, or why it cannot be asked. Does not load CUDA. */
export async function findNvidiaGpus(): Promise<{ readonly gpus: readonly NvidiaGpu[]; readonly problem?: string }> {
  const program = findProgram('nvidia-smi');
  if (program === undefined) return { gpus: [], problem: 'no NVIDIA driver (nvidia-smi is not on PATH)' };
  const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
  const answer = await askProgram(program, query, { timeoutMs: 5_000 });
  if (!answer.ok) return { gpus: [], problem: `nvidia-smi fails: ${answer.problem || answer.output.trim()}` };
  return { gpus: parseNvidiaGpus(answer.output) };
}

/** Reads `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; a field that reads `[N/A]` is left out. */
export function parseNvidiaGpus(csv: string): NvidiaGpu[] {
  return csv
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => cells.length === fields.length)
    .map(([index, uuid, name, total, used, utilization, temperature, driver]) => ({
      id: `cuda:${index}`,
      kind: 'cuda' as const,
      uuid: uuid ?? '',
      name: name ?? '',
      index: Number(index),
      ...measured('memoryTotal', total, bytesPerMebibyte),
      ...measured('memoryUsed', used, bytesPerMebibyte),
      ...measured('utilization', utilization, 1),
      ...measured('temperature', temperature, 1),
      ...(driver ? { driver } : {}),
    }));
}

/** Keeps the GPUs that CUDA_VISIBLE_DEVICES leaves to this process; each entry is an index or (the start of) a UUID. */
export function visibleGpus(gpus: readonly NvidiaGpu[], visibleDevices: string | undefined): NvidiaGpu[] {
  if (visibleDevices === undefined) return [...gpus];
  const chosen: NvidiaGpu[] = [];
  for (const entry of visibleDevices.split(',').map((text) => text.trim())) {
    const found = gpus.find((gpu) => String(gpu.index) === entry || (entry.length > 4 && gpu.uuid.startsWith(entry)));
    // CUDA ignores everything from the first entry that it does not know.
    if (found === undefined) break;
    chosen.push(found);
  }
  return chosen;
}

function measured<K extends string>(key: K, text: string | undefined, unit: number): { [P in K]?: number } {
  const value = Number.parseFloat(text ?? '');
  const result: { [P in K]?: number } = {};
  if (Number.isFinite(value)) result[key] = value * unit;
  return result;
}
