import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { lastJson, runNode } from '../../support/runNode.ts';
import { noSoftwareGpu, softwareGpu } from '../../support/softwareGpu.ts';

const script = fileURLToPath(new URL('./numericOn.ts', import.meta.url));

// Kernels of these backends do not all check what they are given: a wrong one shows here, not as a crash of a training.
describe.each([
  { backend: 'wasm', environment: {}, missing: false },
  { backend: 'webgpu', environment: softwareGpu, missing: noSoftwareGpu },
])('on $backend', ({ backend, environment, missing }) => {
  const title = `every recorded optimizer, loss and clipping is right${missing ? ` (${missing})` : ''}`;
  test.skipIf(missing)(title, async () => {
    const computed = lastJson<{ cases: number }>(await runNode([script, backend], { environment }));
    expect(computed).toMatchObject({ failures: [] });
    expect(computed.cases).toBeGreaterThan(90);
  });
});
