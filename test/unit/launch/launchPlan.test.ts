import { describe, expect, test } from 'vitest';
import type { DeviceInfo } from '../../../engine/api/machine.ts';
import { mergeLaunchOptions, planLaunch } from '../../../engine/launch/launchPlan.ts';

const cpu: DeviceInfo = { id: 'cpu', kind: 'cpu', name: 'CPU', cores: 8 };
const gpu = (index: number): DeviceInfo => ({ id: `cuda:${index}`, kind: 'cuda', name: 'GPU', index });
const laptop = { devices: [cpu], cores: 8 };
const webgpu: DeviceInfo = { id: 'webgpu:0', kind: 'webgpu', name: 'GPU', index: 0 };
const boxWithoutCuda = { devices: [webgpu, cpu], cores: 8 };
const box = { devices: [gpu(0), gpu(1), gpu(3), cpu], cores: 16 };

describe('planLaunch', () => {
  test.each([
    { id: 'one CPU process with all cores', options: {}, machine: laptop, devices: ['cpu'], threads: 8 },
    {
      id: 'CPU processes share the cores',
      options: { numProcesses: 3 },
      machine: laptop,
      devices: ['cpu', 'cpu', 'cpu'],
      threads: 2,
    },
    {
      id: 'threads as given',
      options: { numProcesses: 2, threadsPerProcess: 1 },
      machine: laptop,
      devices: ['cpu', 'cpu'],
      threads: 1,
    },
    { id: 'one process a GPU', options: {}, machine: box, devices: ['cuda:0', 'cuda:1', 'cuda:3'], threads: 5 },
    {
      id: 'the chosen GPUs in the order given',
      options: { gpuIds: '3,0' },
      machine: box,
      devices: ['cuda:3', 'cuda:0'],
      threads: 8,
    },
    {
      id: 'fewer processes than GPUs',
      options: { numProcesses: 1, gpuIds: 'all' },
      machine: box,
      devices: ['cuda:0'],
      threads: 16,
    },
    {
      id: 'CPU on request',
      options: { useCpu: true, numProcesses: 2, gpuIds: '0' },
      machine: box,
      devices: ['cpu', 'cpu'],
      threads: 8,
    },
    {
      id: 'all share the GPU that WebGPU uses',
      options: { numProcesses: 2 },
      machine: boxWithoutCuda,
      devices: ['webgpu', 'webgpu'],
      threads: 4,
    },
    {
      id: 'CPU although WebGPU works',
      options: { useCpu: true },
      machine: boxWithoutCuda,
      devices: ['cpu'],
      threads: 8,
    },
  ])('$id', ({ options, machine, devices, threads }) => {
    const { plan, warnings } = planLaunch(options, machine);
    expect(plan.processes.map((process) => process.device)).toEqual(devices);
    for (const process of plan.processes) {
      expect(process.threads).toBe(threads);
      expect(process.cudaVisibleDevices).toBe(process.device.startsWith('cuda:') ? process.device.slice(5) : '');
    }
    expect(plan.cpuOnly).toBe('useCpu' in options ? true : undefined);
    expect(warnings).toEqual([]);
  });

  test.each([
    { id: 'more processes than GPUs', options: { numProcesses: 4 }, machine: box, code: 'launch.too-few-gpus' },
    { id: 'a GPU that is not there', options: { gpuIds: '0,2' }, machine: box, code: 'launch.no-such-gpu' },
    { id: 'a GPU on a laptop', options: { gpuIds: '0' }, machine: laptop, code: 'launch.no-such-gpu' },
  ] as const)('refuses $id', ({ options, machine, code }) => {
    expect(() => planLaunch(options, machine)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    { id: 'too many threads', options: { numProcesses: 16 }, warning: 'share 8 CPU cores' },
    {
      id: 'half precision without a GPU',
      options: { mixedPrecision: 'bf16' as const },
      warning: 'mixed_precision is bf16',
    },
    { id: 'all of no GPUs', options: { gpuIds: 'all' }, warning: 'no usable CUDA GPU' },
  ])('warns of $id', ({ options, warning }) => {
    expect(planLaunch(options, laptop).warnings).toEqual([expect.stringContaining(warning)]);
  });

  test('port 0 means no port, restarts and precision pass through', () => {
    expect(planLaunch({ mainProcessPort: 0 }, laptop).plan.port).toBeUndefined();
    expect(planLaunch({ mainProcessPort: 29500, maxRestarts: 2, mixedPrecision: 'no' }, laptop).plan).toMatchObject({
      port: 29500,
      maxRestarts: 2,
      mixedPrecision: 'no',
    });
  });

  test('the command line beats the file', () => {
    expect(mergeLaunchOptions({ numProcesses: 2, useCpu: true }, { numProcesses: 4 })).toEqual({
      numProcesses: 4,
      useCpu: true,
    });
  });
});
