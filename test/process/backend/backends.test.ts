import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { tensorflowObstacle } from '../../../engine/backend/index.ts';
import { lastJson, runNode } from '../../support/runNode.ts';

const script = fileURLToPath(new URL('./useBackend.ts', import.meta.url));

// Debian's Chromium carries a Vulkan loader and a software GPU, which is enough to run WebGPU for real.
const chromium = '/usr/lib/chromium';
const softwareGpu = { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: `${chromium}/vk_swiftshader_icd.json` };
const noSoftwareGpu = !existsSync(softwareGpu.VK_ICD_FILENAMES) && `${softwareGpu.VK_ICD_FILENAMES} is not there`;
const noTensorflow = tensorflowObstacle();

interface Used {
  readonly name: string;
  readonly description: string;
  readonly passedOver: readonly string[];
  readonly sameTensors: boolean;
  readonly current: string;
  readonly gradient: readonly number[];
  readonly topk: readonly number[];
  readonly range?: readonly number[];
  readonly tensorflowVersion?: string;
  readonly threads?: number;
  readonly osThreads?: number;
}

async function use(name: string, threads: number | undefined, environment: Record<string, string> = {}): Promise<Used> {
  const result = await runNode([script, name, ...(threads === undefined ? [] : [String(threads)])], { environment });
  expect(result.stderr).toBe('');
  return lastJson<Used>(result);
}

describe.each([
  { id: 'tensorflow', environment: {}, missing: noTensorflow },
  { id: 'webgpu', environment: softwareGpu, missing: noSoftwareGpu },
  { id: 'wasm', environment: {}, missing: undefined },
  { id: 'cpu', environment: {}, missing: undefined },
])('backend $id', ({ id, environment, missing }) => {
  test.skipIf(missing)(
    `is current on the one copy that project code imports${missing ? ` (${missing})` : ''}`,
    async () => {
      const used = await use(id, undefined, environment);
      expect(used).toMatchObject({ name: id, current: id, sameTensors: true, passedOver: [] });
      expect(used.description).not.toBe('');
      // d/dW of |xW|² with x = [1, -1], W = [[1, 2], [3, 4]]: xW = [-2, -2], gradient 2·xᵀ(xW).
      expect(used.gradient).toEqual([-4, -4, 4, 4]);
      expect(used.topk).toEqual([3, 2]);
    },
  );
});

describe.skipIf(noTensorflow)(`native TensorFlow${noTensorflow ? ` (${noTensorflow})` : ''}`, () => {
  test('runs any op of the library by name', async () => {
    const used = await use('tensorflow', 1);
    expect(used.range).toEqual([0, 1, 2, 3]);
    expect(used.tensorflowVersion).toMatch(/^2\.\d+/);
    expect(used.threads).toBe(1);
  });

  test('has as many threads as it was given', async () => {
    const [few, many] = await Promise.all([use('tensorflow', 1), use('tensorflow', 8)]);
    expect(many.description).toContain('8 threads');
    if (process.platform === 'linux') expect((many.osThreads ?? 0) - (few.osThreads ?? 0)).toBeGreaterThanOrEqual(7);
  });
});

test('auto falls back to WebAssembly, never to an imitated GPU, and says what it passed over', async () => {
  const used = await use('auto', undefined, { ...softwareGpu, ACCELHYDRA_TENSORFLOW: 'none' });
  expect(used).toMatchObject({ name: 'wasm', passedOver: ['tensorflow', 'webgpu'] });
});

test.each([
  { id: 'an unknown name', name: 'tensorflwo', says: /no backend 'tensorflwo'.*Did you mean 'tensorflow'/ },
  { id: 'a backend that is switched off', name: 'tensorflow', says: /switched off by ACCELHYDRA_TENSORFLOW=none/ },
])('$id is refused with a reason', async ({ name, says }) => {
  const result = await runNode([script, name], { environment: { ACCELHYDRA_TENSORFLOW: 'none' } });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(says);
});
