import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { tensorflowObstacle } from '../../../engine/backend/index.ts';
import { lastJson, runNode } from '../../support/runNode.ts';
import { noSoftwareGpu, softwareGpu } from '../../support/softwareGpu.ts';

const script = fileURLToPath(new URL('./useBackend.ts', import.meta.url));

const failScript = fileURLToPath(new URL('./failGpu.ts', import.meta.url));
const noTensorflow = tensorflowObstacle();

interface Used {
  readonly name: string;
  readonly description: string;
  readonly passedOver: readonly string[];
  readonly sameTensors: boolean;
  readonly current: string;
  readonly gradient: readonly number[];
  readonly topk: readonly number[];
  readonly readAtOnce: readonly number[];
  readonly sumOfMany: number;
  readonly distinct: readonly number[];
  readonly reasons: readonly string[];
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
      expect(used.readAtOnce).toEqual([4, 8, 12]);
      // 1 + 2 + … + 20, more terms than a shader of WebGPU may have buffers
      expect(used.sumOfMany).toBe(210);
      expect(used.distinct).toEqual([5, 7]);
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

test('ACCELHYDRA_BACKEND decides where nothing else does', async () => {
  const result = await runNode([script, ''], { environment: { ACCELHYDRA_BACKEND: 'cpu' } });
  expect(lastJson<Used>(result)).toMatchObject({ name: 'cpu', passedOver: [] });
});

test('a process that must not use a GPU passes over WebGPU', async () => {
  const environment = { ...softwareGpu, ACCELHYDRA_TENSORFLOW: 'none' };
  const result = lastJson<Used>(await runNode([script, '', 'cpuOnly'], { environment }));
  expect(result.name).toBe('wasm');
  expect(result.reasons).toContainEqual('only the CPU is to be used');
});

describe.skipIf(noSoftwareGpu)(`that a GPU${noSoftwareGpu ? ` (${noSoftwareGpu})` : ''}`, () => {
  test.each([
    { id: 'refused an operation', how: 'refuse', code: 'backend.webgpu.refused', says: /refused an operation.*WGSL/ },
    { id: 'is gone', how: 'lose', code: 'backend.webgpu.lost', says: /Resume from the last checkpoint/ },
  ])('$id is told with the next value that is read, at once or later', async ({ how, code, says }) => {
    const result = await runNode([failScript, how], { environment: softwareGpu });
    const failure = { code, message: expect.stringMatching(says) };
    expect(lastJson(result)).toMatchObject({ atOnce: failure, later: failure });
    expect(result.stderr).toBe('');
  });
});

test.each([
  { id: 'an unknown name', name: 'tensorflwo', says: /no backend 'tensorflwo'.*Did you mean 'tensorflow'/ },
  { id: 'a backend that is switched off', name: 'tensorflow', says: /switched off by ACCELHYDRA_TENSORFLOW=none/ },
])('$id is refused with a reason', async ({ name, says }) => {
  const result = await runNode([script, name], { environment: { ACCELHYDRA_TENSORFLOW: 'none' } });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(says);
});
