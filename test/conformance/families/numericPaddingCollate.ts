import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { disposeBatch, PaddingCollate } from '../../../engine/data/index.ts';

const CollateCase = z.looseObject({
  id: z.string(),
  batch: z.array(z.record(z.string(), z.unknown())),
  pad_keys: z.array(z.string()),
  torchify_keys: z.array(z.string()),
});

/** Every column of the batch: tensors within 1e-6 and of the right kind, lists as they were. */
export const numericPaddingCollate = {
  name: 'numeric_padding_collate',
  file: 'numeric_padding_collate.json',
  async run(input: unknown): Promise<string | undefined> {
    await tf.setBackend('cpu');
    const { id: _id, batch: samples, pad_keys, torchify_keys, ...expected } = CollateCase.parse(input);
    const batch = new PaddingCollate({ pad_keys, torchify_keys }).call(samples);
    const problems = [...new Set([...Object.keys(expected), ...Object.keys(batch)])].map((key) =>
      compare(key, batch[key], expected[key]),
    );
    disposeBatch(batch);
    return problems.find((problem) => problem !== undefined);
  },
};

function compare(key: string, found: unknown, expected: unknown): string | undefined {
  if (!(found instanceof tf.Tensor)) {
    return JSON.stringify(found) === JSON.stringify(expected)
      ? undefined
      : `${key}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`;
  }
  const numbers = z.array(z.number()).parse([expected].flat(10));
  const values = found.dataSync();
  if (values.length !== numbers.length) return `${key}: ${values.length} values instead of ${numbers.length}`;
  const odd = numbers.findIndex((number, i) => !(Math.abs((values[i] ?? Number.NaN) - number) <= 1e-6));
  if (odd >= 0) return `${key}[${odd}]: ${values[odd]} instead of ${numbers[odd]}`;
  const dtype = key.endsWith('_lengths') || numbers.every(Number.isInteger) ? 'int32' : 'float32';
  return found.dtype === dtype ? undefined : `${key}: ${found.dtype} instead of ${dtype}`;
}
