import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSetup } from '../../../engine/backend/setupRecord.ts';
import { compileLibrary } from '../../../engine/setup/compile.mjs';
import { verifyKernels } from '../../../engine/setup/kernels.mjs';
import { installedKernels } from '../../../engine/setup/paths.mjs';

const recorded = readSetup()?.tensorflow;
const kernels = recorded?.kernels;
const missing = kernels?.built ? undefined : (kernels?.reason ?? recorded?.reason ?? 'set-up has not run');
const node = { path: process.execPath };

// side by side: each mostly waits for TensorFlow to load in a process of its own
describe.skipIf(missing).concurrent(`the library of kernels${missing ? ` (${missing})` : ''}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'accelhydra-kernels-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('is installed and computes right with the TensorFlow of the record', async () => {
    const version = recorded?.version;
    expect(await verifyKernels(node, installedKernels)).toEqual({ ok: true, problem: '', version });
    expect(kernels).toMatchObject({ version });
  });

  test('is refused when it does not load', async () => {
    const library = join(folder, 'text.node');
    writeFileSync(library, 'no library');
    const { ok, problem } = await verifyKernels(node, library);
    expect({ ok, problem }).toEqual({ ok: false, problem: expect.stringMatching(/does not run: Error: .*text\.node/) });
  });

  test('is refused when it takes the process down', async () => {
    const source = join(folder, 'crash.cc');
    writeFileSync(source, '#include <cstdlib>\nstatic const int crash = (std::abort(), 0);\n');
    const library = join(folder, 'crash.node');
    const compiled = await compileLibrary(library, {
      what: 'the test',
      layout: { libraries: [] },
      sources: [source],
      flags: [],
    });
    expect(compiled).toEqual({ ok: true, problem: '' });
    expect(await verifyKernels(node, library)).toEqual({ ok: false, problem: 'it does not run: ended with SIGABRT' });
  });
});
