import os from 'node:os';
import type { DoctorCheck, DoctorReport } from '../api/machine.ts';
import { formatBytes } from '../base/format.ts';
import { askProbe } from './askProbe.ts';
import {
  checkBrowser,
  checkElectron,
  checkGpu,
  checkKernels,
  checkNode,
  checkSqlite,
  checkTensorflow,
} from './checks.ts';
import { describeCpu, listDevices } from './devices.ts';
import { wantedBackend } from './loadBackend.ts';
import { findNvidiaGpus } from './nvidia.ts';
import type { ProbeResult } from './probe.ts';
import { readSetup } from './setupRecord.ts';
import { type BackendName, backendNames } from './types.ts';

/**
 * Looks at everything that decides how trainings run here: what was found, what is used and why, how to get better. Each
 * tensor backend is tried for real in a process of its own, so this takes a second or two.
 */
export async function inspectMachine(): Promise<DoctorReport> {
  const setup = readSetup();
  const [nvidia, devices, ...probes] = await Promise.all([
    findNvidiaGpus(),
    listDevices(),
    ...backendNames.map((name) => askProbe(name)),
  ]);
  const results = new Map(backendNames.map((name, index) => [name, probes[index] ?? notProbed]));
  const result = (name: BackendName): ProbeResult => results.get(name) ?? notProbed;
  const tensorflow = result('tensorflow');
  const wanted = backendNames.find((name) => name === wantedBackend());
  const used = wanted ?? backendNames.find((name) => result(name).works) ?? 'cpu';
  const cpu = describeCpu();
  return {
    platform: `${os.type()} ${os.release()} ${os.arch()}, ${cpu.cores} cores, ${formatBytes(cpu.memoryTotal ?? 0)} of memory`,
    backend: { name: used, ...describe(result(used)) },
    checks: [
      checkNode(setup),
      checkTensorflow(tensorflow, setup, nvidia.gpus.length > 0),
      ...(tensorflow.works ? [checkKernels(setup, tensorflow.gpu)] : []),
      checkGpu(nvidia, { name: used, gpu: describe(result(used)).gpu }),
      checkOther('webgpu', result('webgpu'), used, webgpuAdvice),
      checkOther('wasm', result('wasm'), used, undefined),
      checkSqlite(setup),
      checkElectron(setup),
      checkBrowser(),
    ],
    devices: [...devices],
  };
}

const webgpuAdvice =
  'Useful for GPUs that TensorFlow cannot drive: install the Vulkan driver of your GPU (Debian: mesa-vulkan-drivers).';
const notProbed: ProbeResult = { works: false, reason: 'it was not tried' };

function describe(result: ProbeResult): { description: string; gpu: boolean } {
  return result.works
    ? { description: result.description, gpu: result.gpu }
    : { description: result.reason, gpu: false };
}

function checkOther(
  name: BackendName,
  result: ProbeResult,
  used: BackendName,
  advice: string | undefined,
): DoctorCheck {
  if (!result.works) return { name, status: 'missing', found: result.reason, ...(advice ? { advice } : {}) };
  const rank = backendNames.indexOf(name) - backendNames.indexOf(used);
  const reason =
    rank === 0
      ? `used: ${wantedBackend() === name ? 'ACCELHYDRA_BACKEND names it' : 'the best that works here'}`
      : `not used: ${wantedBackend() === used ? `ACCELHYDRA_BACKEND names ${used}` : `${used} is faster and works here`}`;
  return { name, status: 'ok', found: result.description, reason };
}
