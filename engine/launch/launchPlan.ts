import { EngineError } from '../api/errors.ts';
import type { LaunchOptions, LaunchPlan, PlannedProcess } from '../api/launch.ts';
import type { DeviceInfo } from '../api/machine.ts';

export interface Machine {
  readonly devices: readonly DeviceInfo[];
  /** CPU cores this process may use. */
  readonly cores: number;
}

export interface PlannedLaunch {
  readonly plan: LaunchPlan;
  readonly warnings: readonly string[];
}

/** Options of the command line over those of a launch file; an absent key leaves the file's. */
export function mergeLaunchOptions(file: LaunchOptions, commandLine: LaunchOptions): LaunchOptions {
  const given = Object.entries(commandLine).filter(([, value]) => value !== undefined);
  return { ...file, ...Object.fromEntries(given) };
}

/**
 * Which process gets which device and how many threads. A process has one GPU; without a usable GPU all run on the CPU.
 * One process per chosen GPU unless `numProcesses` says otherwise, one in all on the CPU. Throws `launch.no-such-gpu` and
 * `launch.too-few-gpus`. Whether the tensor backend can compute in half precision, the processes find out.
 */
export function planLaunch(options: LaunchOptions, machine: Machine): PlannedLaunch {
  const warnings: string[] = [];
  const gpus = options.useCpu === true ? [] : chooseGpus(options, machine, warnings);
  const count = options.numProcesses ?? Math.max(1, gpus.length);
  if (gpus.length > 0 && count > gpus.length) {
    const have = gpus.map((index) => `cuda:${index}`).join(', ');
    throw new EngineError(
      'launch.too-few-gpus',
      `${count} processes need a GPU each, but only ${have} ${gpus.length === 1 ? 'is' : 'are'} chosen. Set num_processes to ${gpus.length}, name more gpu_ids, or set use_cpu to true.`,
      { processes: count, gpus },
    );
  }
  const sharesGpu = options.useCpu !== true && machine.devices.some((device) => device.kind === 'webgpu');
  const withoutCuda = sharesGpu ? 'webgpu' : 'cpu';
  if ((options.mixedPrecision ?? 'no') !== 'no' && gpus.length === 0) {
    warnings.push(
      `mixed_precision is ${options.mixedPrecision} and the processes run on the CPU, where products in half precision are usually slower than in float32.`,
    );
  }
  const threads = options.threadsPerProcess ?? Math.max(1, Math.floor(machine.cores / count));
  if (threads * count > machine.cores) {
    warnings.push(
      `${count} processes of ${threads} ${threads === 1 ? 'thread' : 'threads'} share ${machine.cores} CPU cores: they will slow each other down.`,
    );
  }
  const processes = Array.from({ length: count }, (_, rank): PlannedProcess => {
    const gpu = gpus[rank];
    return {
      rank,
      device: gpu === undefined ? withoutCuda : `cuda:${gpu}`,
      cudaVisibleDevices: gpu === undefined ? '' : String(gpu),
      threads,
    };
  });
  const port = options.mainProcessPort;
  return {
    warnings,
    plan: {
      processes,
      mixedPrecision: options.mixedPrecision ?? 'no',
      ...(port === undefined || port === 0 ? {} : { port }),
      maxRestarts: options.maxRestarts ?? 0,
      ...(options.useCpu === true ? { cpuOnly: true } : {}),
    },
  };
}

function chooseGpus(options: LaunchOptions, machine: Machine, warnings: string[]): number[] {
  const present = machine.devices.flatMap((device) => (device.kind === 'cuda' ? [device.index ?? 0] : []));
  const wanted = options.gpuIds;
  if (wanted === undefined || wanted === 'all') {
    if (wanted === 'all' && present.length === 0) {
      warnings.push('gpu_ids is all, but this machine has no usable CUDA GPU: the processes run on the CPU.');
    }
    return present;
  }
  const indices = [...new Set(wanted.split(',').map(Number))];
  const absent = indices.filter((index) => !present.includes(index));
  if (absent.length > 0) {
    const have = present.length === 0 ? 'it has none' : `it has ${present.join(', ')}`;
    throw new EngineError(
      'launch.no-such-gpu',
      `gpu_ids names GPU ${absent.join(', ')}, which this machine does not have (${have}). Change gpu_ids, or set use_cpu to true.`,
      { absent, present },
    );
  }
  return indices;
}
