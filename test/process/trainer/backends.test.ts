import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tensorflowObstacle } from '../../../engine/backend/index.ts';
import { lastJson, runNode } from '../../support/runNode.ts';

const script = fileURLToPath(new URL('./trainOn.ts', import.meta.url));
const noTensorflow = tensorflowObstacle();

interface Trained {
  readonly losses: readonly number[];
  readonly metrics: { readonly loss: number };
  readonly weights: readonly number[];
  readonly resumedLosses: readonly number[];
  readonly resumedWeights: readonly number[];
  readonly stoppedAt: number;
  readonly leaked: number;
}

async function trainOn(backend: string): Promise<Trained> {
  return lastJson<Trained>(await runNode([script, backend]));
}

test.each(['cpu', ...(noTensorflow === undefined ? ['tensorflow'] : [])])(
  'on %s a model with every layer trains, and resumes to the bit',
  async (backend) => {
    const trained = await trainOn(backend);
    expect(trained.losses).toHaveLength(18);
    expect(trained.losses.every(Number.isFinite)).toBe(true);
    expect(trained.stoppedAt).toBe(9);
    expect(trained.resumedLosses).toEqual(trained.losses);
    expect(trained.resumedWeights).toEqual(trained.weights);
    expect(trained.leaked).toBe(0);
  },
);

test.skipIf(noTensorflow)(
  `native TensorFlow and plain JavaScript agree${noTensorflow ? ` (${noTensorflow})` : ''}`,
  async () => {
    const [native, plain] = [await trainOn('tensorflow'), await trainOn('cpu')];
    native.losses.forEach((loss, i) => {
      expect(Math.abs(loss - (plain.losses[i] ?? Number.NaN))).toBeLessThan(1e-4);
    });
    expect(native.metrics.loss).toBeCloseTo(plain.metrics.loss, 2);
  },
);
