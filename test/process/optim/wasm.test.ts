import { beforeAll, expect, test } from 'vitest';
import { loadBackend } from '../../../engine/backend/index.ts';
import { numericClipGradNorm } from '../../conformance/families/numericClipGradNorm.ts';
import { numericLosses } from '../../conformance/families/numericLosses.ts';
import { numericOptimizers } from '../../conformance/families/numericOptimizers.ts';
import { numericCases } from '../../support/numeric.ts';

// WebAssembly's kernels do not all check what they are given: a wrong one shows here, not as a crash of a training.
beforeAll(async () => {
  await loadBackend({ backend: 'wasm' });
});

test.each([
  { family: numericOptimizers, file: 'optimizers.json' },
  { family: numericLosses, file: 'losses.json' },
  { family: numericClipGradNorm, file: 'clip_grad_norm.json' },
])('every case of $family.name on WebAssembly', async ({ family, file }) => {
  const failures: string[] = [];
  for (const vector of numericCases<{ id: string }>(file)) {
    const failure = await family.run(vector);
    if (failure !== undefined) failures.push(`${vector.id}: ${failure}`);
  }
  expect(failures).toEqual([]);
});
