import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSetup } from '../../../engine/backend/setupRecord.ts';
import { runNode } from '../../support/runNode.ts';

const bootstrap = join(import.meta.dirname, '../../../engine/setup/bootstrap.mjs');

test('a second set-up does nothing, quickly', async () => {
  await runNode([bootstrap, '--quiet'], { timeoutMs: 110_000 });
  const started = performance.now();
  const second = await runNode([bootstrap]);
  expect(second).toMatchObject({ code: 0, stdout: 'setup: nothing to do\n', stderr: '' });
  // Measured at 60 to 100 ms; the limit leaves room for a busy machine.
  expect(performance.now() - started).toBeLessThan(1_500);
});

test('set-up records which Node and which TensorFlow it chose, and why', () => {
  const record = readSetup();
  expect(record?.node.version).toMatch(/^v\d+/);
  expect(record?.steps.map((step) => step.name)).toEqual(
    expect.arrayContaining(['node', 'packages', 'sqlite', 'tensorflow']),
  );
  if (record?.tensorflow.source === 'none') expect(record.tensorflow.reason).not.toBe('');
  else {
    expect(record?.tensorflow.libraries).toHaveLength(2);
    expect(record?.tensorflow.kernels).toMatchObject({ built: expect.any(Boolean), key: expect.any(String) });
  }
});
