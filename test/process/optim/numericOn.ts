// Run by webgpu.test.ts in a process of its own: `node numericOn.ts <backend>` computes every recorded optimizer, loss and
// clipping on it; prints, as one line of JSON, how many there were and what differed.

import { type BackendName, loadBackend } from '../../../engine/backend/index.ts';
import { numericClipGradNorm } from '../../conformance/families/numericClipGradNorm.ts';
import { numericLosses } from '../../conformance/families/numericLosses.ts';
import { numericOptimizers } from '../../conformance/families/numericOptimizers.ts';
import { numericCases } from '../../support/numeric.ts';

await loadBackend({ backend: process.argv[2] as BackendName });
const failures: string[] = [];
let cases = 0;
for (const { family, file } of [
  { family: numericOptimizers, file: 'optimizers.json' },
  { family: numericLosses, file: 'losses.json' },
  { family: numericClipGradNorm, file: 'clip_grad_norm.json' },
]) {
  for (const vector of numericCases<{ id: string }>(file)) {
    const failure = await family.run(vector);
    if (failure !== undefined) failures.push(`${vector.id}: ${failure}`);
    cases++;
  }
}
process.stdout.write(`${JSON.stringify({ cases, failures })}\n`, () => process.exit(0));
