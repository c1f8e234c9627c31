import { expect, test } from 'vitest';
import { parseNvidiaGpus, visibleGpus } from '../../../engine/backend/nvidia.ts';

const csv = [
  '0, GPU-1f0e55a2-aaaa, NVIDIA H200, 143771, 1024, 37, 41, 570.86.15',
  '1, GPU-77c2d9b0-bbbb, NVIDIA H200, 143771, 0, [N/A], 39, 570.86.15',
  '2, GPU-90aa10cc-cccc, NVIDIA GeForce RTX 4090, 24564, 12, 0, [N/A], 570.86.15',
  '',
].join('\n');

test('reads what nvidia-smi prints, in bytes, without the fields it does not know', () => {
  const gpus = parseNvidiaGpus(csv);
  expect(gpus[0]).toEqual({
    id: 'cuda:0',
    kind: 'cuda',
    index: 0,
    uuid: 'GPU-1f0e55a2-aaaa',
    name: 'NVIDIA H200',
    memoryTotal: 143771 * 1024 ** 2,
    memoryUsed: 1024 ** 3,
    utilization: 37,
    temperature: 41,
    driver: '570.86.15',
  });
  expect(gpus[1]).not.toHaveProperty('utilization');
  expect(gpus[2]).not.toHaveProperty('temperature');
});

test('reads what driver 580 said on an H200 that does nothing, and while WebGPU trained on it', () => {
  const idle = '0, GPU-00000000-0000-0000-0000-000000000000, NVIDIA H200, 143771, 0, 0, 37, 580.159.04\n';
  expect(parseNvidiaGpus(idle)).toEqual([
    expect.objectContaining({ memoryTotal: 150_754_820_096, memoryUsed: 0, utilization: 0, temperature: 37 }),
  ]);
  const busy = idle.replace(', 0, 0, 37,', ', 70, 36, 37,');
  expect(parseNvidiaGpus(busy)[0]).toMatchObject({ memoryUsed: 70 * 1024 ** 2, utilization: 36 });
});

test.each([
  { id: 'a driver that complains', text: 'Failed to initialize NVML: Driver/library version mismatch\n' },
  { id: 'no GPU', text: 'No devices were found\n' },
  { id: 'nothing', text: '' },
])('$id is no GPU', ({ text }) => {
  expect(parseNvidiaGpus(text)).toEqual([]);
});

test.each([
  { id: 'all when unset', visible: undefined, ids: ['cuda:0', 'cuda:1', 'cuda:2'] },
  { id: 'none when empty', visible: '', ids: [] },
  { id: 'in the order given', visible: '2,0', ids: ['cuda:2', 'cuda:0'] },
  { id: 'by UUID', visible: 'GPU-77c2d9b0', ids: ['cuda:1'] },
  { id: 'up to the first unknown entry, as CUDA does', visible: '1,9,0', ids: ['cuda:1'] },
  { id: 'none with -1', visible: '-1', ids: [] },
])('CUDA_VISIBLE_DEVICES: $id', ({ visible, ids }) => {
  expect(visibleGpus(parseNvidiaGpus(csv), visible).map((gpu) => gpu.id)).toEqual(ids);
});
