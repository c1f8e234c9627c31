import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completeLock, platformOf } from '../../../engine/setup/completeLock.mjs';
import { isNewEnough } from '../../../engine/setup/nodeVersion.mjs';
import { run } from '../../../engine/setup/processes.mjs';
import { libraryLayout } from '../../../engine/setup/python.mjs';
import { parseCudaRequirements } from '../../../engine/setup/wheel.mjs';

test.each([
  { version: 'v20.20.2', enough: false },
  { version: 'v22.17.1', enough: false },
  { version: 'v22.18.0', enough: true },
  { version: 'v24.0.0', enough: true },
])('Node $version: new enough is $enough', ({ version, enough }) => {
  expect(isNewEnough(version)).toBe(enough);
});

test.each([
  { name: '@biomejs/cli-darwin-arm64', platform: { cpu: ['arm64'], os: ['darwin'] } },
  { name: '@swc/core-linux-arm-gnueabihf', platform: { cpu: ['arm'], libc: ['glibc'], os: ['linux'] } },
  { name: '@oxc-parser/binding-linux-x64-musl', platform: { cpu: ['x64'], libc: ['musl'], os: ['linux'] } },
  { name: '@oxc-parser/binding-linux-arm-musleabihf', platform: { cpu: ['arm'], libc: ['musl'], os: ['linux'] } },
  { name: 'fsevents', platform: undefined },
])('the platform of $name', ({ name, platform }) => {
  expect(platformOf(name)).toEqual(platform);
});

test('a lock file is completed with the other platforms and loses its addresses', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.2.3',
        resolved: 'somewhere',
        dev: true,
        optionalDependencies: { 'tool-win32-x64': '1.2.3' },
      },
    },
  };
  expect(completeLock(lock)).toEqual(['tool-win32-x64']);
  expect(lock.packages).toMatchObject({
    'node_modules/tool-win32-x64': { version: '1.2.3', os: ['win32'], cpu: ['x64'], dev: true, optional: true },
  });
  expect(lock.packages['node_modules/tool']).not.toHaveProperty('resolved');
  expect(completeLock(lock)).toEqual([]);
});

test('the CUDA libraries of a wheel are read from its metadata', () => {
  const metadata = [
    'Name: tensorflow',
    'Requires-Dist: numpy>=1.26.0',
    'Requires-Dist: nvidia-cublas-cu12 (>=12.5.3.2,<13.0) ; extra == "and-cuda"',
    "Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == 'and-cuda'",
    'Requires-Dist: tensorflow-io-gcs-filesystem>=0.23.1; extra == "gcs-filesystem"',
  ].join('\n');
  expect(parseCudaRequirements(metadata)).toEqual([
    'nvidia-cublas-cu12>=12.5.3.2,<13.0',
    'nvidia-cudnn-cu12<10.0,>=9.3.0.75',
  ]);
});

describe('programs run by set-up', () => {
  test.each([
    { id: 'an answer', script: 'console.log(42)', expected: { ok: true, stdout: '42\n', problem: '' } },
    {
      id: 'a failure, by the line that names the error',
      script:
        "console.error('npm warn odd'); console.error('Error: no space left'); console.error('bye'); process.exit(3)",
      expected: { ok: false, code: 3, problem: 'Error: no space left' },
    },
    {
      id: 'what was thrown, not the code that throws it',
      script: "throw new RangeError('no space' + ' left')",
      expected: { ok: false, code: 1, problem: 'RangeError: no space left' },
    },
    {
      id: 'an endless run, after its limit',
      script: 'setInterval(() => 0, 1000)',
      expected: { ok: false, problem: 'gave up after 1 s' },
    },
  ])('tell $id', async ({ script, expected }) => {
    expect(
      await run(process.execPath, ['-e', script], { timeoutMs: script.includes('setInterval') ? 600 : 20_000 }),
    ).toMatchObject(expected);
  });

  test('tell that they are missing', async () => {
    const result = await run('accelhydra-no-such-program', []);
    expect(result.ok).toBe(false);
    expect(result.problem).toMatch(/accelhydra-no-such-program does not start/);
  });
});

describe('an installed TensorFlow', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'accelhydra-setup-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (...names: string[]): void => {
    for (const name of names) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), '');
    }
  };
  const header = 'tensorflow/include/tensorflow/c/eager/c_api.h';
  const endings = process.platform === 'darwin' ? '.2.dylib' : '.so.2';

  test('is a wheel with headers and both libraries', () => {
    put(header, `tensorflow/libtensorflow_cc${endings}`, `tensorflow/libtensorflow_framework${endings}`);
    expect(libraryLayout(join(folder, 'tensorflow'))?.libraries).toHaveLength(2);
  });

  test('may keep its libraries where conda keeps them', () => {
    put(header, `lib/libtensorflow_cc${endings}`, `lib/libtensorflow_framework${endings}`);
    expect(libraryLayout(join(folder, 'tensorflow'), folder)?.libraries[0]).toBe(
      join(folder, 'lib', `libtensorflow_cc${endings}`),
    );
  });

  test.each([
    {
      id: 'no headers',
      files: [`tensorflow/libtensorflow_cc${endings}`, `tensorflow/libtensorflow_framework${endings}`],
    },
    { id: 'no C library, as before 2.13', files: [header, `tensorflow/libtensorflow_framework${endings}`] },
  ])('with $id cannot be linked against', ({ files }) => {
    put(...files);
    expect(libraryLayout(join(folder, 'tensorflow'), folder)).toBeUndefined();
  });
});
