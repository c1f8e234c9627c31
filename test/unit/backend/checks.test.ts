import { expect, test } from 'vitest';
import { checkGpu } from '../../../engine/backend/checks.ts';
import { parseNvidiaGpus } from '../../../engine/backend/nvidia.ts';

const gpus = parseNvidiaGpus('0, GPU-0, NVIDIA H200, 143771, 0, 0, 37, 580.159.04\n');

test.each([
  { id: 'TensorFlow', used: { name: 'tensorflow', gpu: true }, status: 'ok', reason: 'used by TensorFlow' },
  { id: 'WebGPU', used: { name: 'webgpu', gpu: true }, status: 'ok', reason: /used through WebGPU/ },
  { id: 'no backend, TensorFlow', used: { name: 'tensorflow', gpu: false }, status: 'warning', reason: /not used/ },
  { id: 'no backend, WebAssembly', used: { name: 'wasm', gpu: false }, status: 'warning', reason: /not used: wasm/ },
] as const)("the doctor's line on a GPU that is used by $id", ({ used, status, reason }) => {
  expect(checkGpu({ gpus }, used)).toEqual({
    name: 'gpu',
    status,
    found: 'NVIDIA H200, driver 580.159.04',
    reason: expect.stringMatching(reason),
  });
});

test('why there is none', () => {
  const problem = 'no NVIDIA driver (nvidia-smi is not on PATH)';
  expect(checkGpu({ gpus: [], problem }, { name: 'wasm', gpu: false })).toMatchObject({ found: problem });
});
