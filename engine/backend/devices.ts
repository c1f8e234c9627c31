import os from 'node:os';
import type { DeviceInfo } from '../api/machine.ts';
import { askProbe } from './askProbe.ts';
import { wantedBackend } from './loadBackend.ts';
import { findNvidiaGpus, visibleGpus } from './nvidia.ts';
import { readSetup } from './setupRecord.ts';
import { tensorflowObstacle } from './tensorflow.ts';

const keptForMs = 3_000;
let last: { readonly at: number; readonly devices: Promise<readonly DeviceInfo[]> } | undefined;

/** Whether WebGPU computes on a real GPU: a driver does not come or go while this process runs. */
let webgpuWorks: Promise<boolean> | undefined;

/**
 * The devices that trainings run on: NVIDIA GPUs, where the backend that will be taken can use them, and the CPU. Other
 * GPUs, which WebGPU may use too, are not listed: nothing here can ask them for their memory and load.
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
  const named = wantedBackend();
  const canBe = (backend: string) => named === 'auto' || named === backend;
  if (canBe('tensorflow') && tensorflowObstacle() === undefined) {
    if (readSetup()?.tensorflow.gpu !== true) return [];
    const { gpus } = await findNvidiaGpus();
    return visibleGpus(gpus, process.env.CUDA_VISIBLE_DEVICES).map(({ uuid: _uuid, ...device }) => device);
  }
  if (!canBe('webgpu')) return [];
  const { gpus } = await findNvidiaGpus();
  if (gpus.length === 0) return [];
  webgpuWorks ??= askProbe('webgpu').then((probed) => probed.works && probed.gpu);
  if (!(await webgpuWorks)) return [];
  return gpus.map(({ uuid: _uuid, ...device }) => ({ ...device, id: `webgpu:${device.index}`, kind: 'webgpu' }));
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
