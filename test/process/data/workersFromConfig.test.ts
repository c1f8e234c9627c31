import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runNode } from '../../support/runNode.ts';

const script = fileURLToPath(new URL('../../fixtures/data/workersFromConfig.ts', import.meta.url));

interface Seen {
  readonly notes: readonly string[];
  readonly batches: readonly unknown[];
}

test('worker threads build a dataset of the project from its config, and give what the training process reads', async () => {
  const { code, stdout, stderr } = await runNode([script]);
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  const { own, shared } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { own: Seen; shared: Seen };
  expect(own.batches).toHaveLength(4);
  expect(shared).toEqual(own);
  expect(shared.notes).toEqual([]);
});
