import os from 'node:os';
import type { DeviceInfo } from '../api/machine.ts';
import { findNvidiaGpus, visibleGpus } from './nvidia.ts';
import { readSetup } from './setupRecord.ts';

const keptForMs = 3_000;
let last: { readonly at: number; readonly devices: Promise<readonly DeviceInfo[]> } | undefined;

/**
 * The devices that a worker process can be given: NVIDIA GPUs, where the TensorFlow found can use them, and the CPU.
 * Loads no tensor library; the answer is kept for a few seconds, so it may be asked at every draw of a page.
 */
export function listDevices(): Promise<readonly DeviceInfo[]> {
  const now = Date.now();
  if (last === undefined || now - last.at > keptForMs) last = { at: now, devices: lookForDevices() };
  return last.devices;
}

async function lookForDevices(): Promise<readonly DeviceInfo[]> {
  return [...(await usableGpus()), describeCpu()];
}

async function usableGpus(): Promise<readonly DeviceInfo[]> {
  if (readSetup()?.tensorflow.gpu !== true) return [];
  const { gpus } = await findNvidiaGpus();
  return visibleGpus(gpus, process.env.CUDA_VISIBLE_DEVICES).map(({ uuid: _uuid, ...device }) => device);
}

/** The CPU as a device: the cores this process may use and the memory of the machine. */
export function describeCpu(): DeviceInfo {
  const model = os.cpus()[0]?.model.trim();
  return {
    id: 'cpu',
    kind: 'cpu',
    name: model || `${os.arch()} processor`,
    memoryTotal: os.totalmem(),
    memoryUsed: os.totalmem() - os.freemem(),
    cores: os.availableParallelism(),
  };
}
