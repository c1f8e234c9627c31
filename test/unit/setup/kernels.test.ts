import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { compileKernels, kernelsKey, kernelsObstacle, kernelsStand } from '../../../engine/setup/kernels.mjs';

let folder: string;
let layout: { include: string; libraries: string[] };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-kernels-'));
  layout = { include: join(folder, 'include'), libraries: [join(folder, 'libtensorflow_cc.so.2')] };
  put('libtensorflow_cc.so.2', 'a library');
  put('include/tensorflow/core/framework/op_kernel.h', '');
  put('sources/gelu.cc', '// gelu');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function put(name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const keyNow = (): string => kernelsKey(layout, join(folder, 'sources'));

test.each([
  { id: 'a source is edited', file: 'sources/gelu.cc', text: '// GELU' },
  { id: 'a source is added', file: 'sources/softmax.cc', text: '' },
  { id: 'another TensorFlow lies in the same place', file: 'libtensorflow_cc.so.2', text: 'a newer library' },
])('kernels are built anew when $id', ({ file, text }) => {
  const before = keyNow();
  expect(keyNow()).toBe(before);
  put(file, text);
  expect(keyNow()).not.toBe(before);
});

test('kernels are not built without a compiler, and that is said', async () => {
  vi.stubEnv('PATH', folder);
  vi.stubEnv('CXX', '');
  expect(kernelsObstacle(layout)).toBe('no C++ compiler (install g++) to build them with');
  expect(await compileKernels(layout)).toEqual({ ok: false, problem: kernelsObstacle(layout) });
});

test('kernels are not built without C++ headers, and that is said', async () => {
  vi.stubEnv('CXX', process.execPath);
  expect(kernelsObstacle(layout)).toBeUndefined();
  rmSync(join(layout.include, 'tensorflow', 'core', 'framework'), { recursive: true });
  expect(kernelsObstacle(layout)).toBe('this TensorFlow comes without C++ headers');
});

test.each([
  { id: 'an older set-up knew none', kernels: undefined, stand: false },
  { id: 'they were built from other sources', kernels: { built: true, key: 'other' }, stand: false },
  { id: 'they could not be built', kernels: { built: false, reason: 'no C++ compiler' }, stand: true },
  { id: 'other sources could not be built', kernels: { built: false, key: 'other', reason: '' }, stand: false },
])('set-up has nothing to do when $id: $stand', ({ kernels, stand }) => {
  const recorded = kernels && { key: kernelsKey(layout), ...kernels };
  expect(kernelsStand({ source: 'wheel', ...layout, kernels: recorded })).toBe(stand);
});

test('without a TensorFlow there is nothing to build kernels for', () => {
  expect(kernelsStand({ source: 'none' })).toBe(true);
});
