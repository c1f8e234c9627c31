import { expect, test, vi } from 'vitest';
import { checkGpu, checkKernels } from '../../../engine/backend/checks.ts';
import { parseNvidiaGpus } from '../../../engine/backend/nvidia.ts';
import type { KernelsRecord, SetupRecord } from '../../../engine/backend/setupRecord.ts';

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

const built = { built: true, key: '0', version: '2.21.0' } as const;
const reason = 'no C++ compiler (install g++) to build them with';
const missing = { built: false, key: '0', reason } as const;
const withKernels = (kernels?: KernelsRecord): SetupRecord => ({
  node: { path: 'node', version: 'v24.0.0', source: 'system' },
  tensorflow: { source: 'wheel', ...(kernels && { kernels }) },
  electron: { available: false },
  steps: [],
});

test.each([
  { id: 'built', kernels: built, gpu: false, check: { status: 'ok', found: /2\.21\.0/, reason: /^used: faster/ } },
  { id: 'built, beside a GPU', kernels: built, gpu: true, check: { status: 'ok', found: /2\.21\.0/, reason: /CPU/ } },
  {
    id: 'not built',
    kernels: missing,
    gpu: false,
    check: { status: 'warning', found: /no C\+\+ compiler/, reason: /more steps/, advice: /g\+\+.*--again/ },
  },
  {
    id: 'not built, beside a GPU',
    kernels: missing,
    gpu: true,
    check: { status: 'ok', found: /compiler/, reason: /GPU/ },
  },
  {
    id: 'of an older set-up',
    kernels: undefined,
    gpu: false,
    check: { status: 'warning', found: /not built yet/, reason: /more steps/, advice: /npm run setup/ },
  },
])("the doctor's line on kernels that are $id", ({ kernels, gpu, check }) => {
  const matching = Object.entries(check).map(([name, text]) => [
    name,
    typeof text === 'string' ? text : expect.stringMatching(text),
  ]);
  expect(checkKernels(withKernels(kernels), gpu)).toEqual({ name: 'kernels', ...Object.fromEntries(matching) });
});

test('kernels that are switched off are said to be', () => {
  vi.stubEnv('ACCELHYDRA_KERNELS', 'plain');
  try {
    expect(checkKernels(withKernels(built), false)).toMatchObject({
      status: 'ok',
      reason: 'not used: ACCELHYDRA_KERNELS=plain',
    });
  } finally {
    vi.unstubAllEnvs();
  }
});
