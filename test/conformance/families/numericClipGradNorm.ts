import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { clipGradNorm } from '../../../engine/optim/index.ts';
import { ensureCpu, firstDifference, flatten, nestedNumbers, toTensor } from './numericValues.ts';

const ClipCase = z.object({
  id: z.string(),
  max_norm: z.number(),
  norm_type: z.union([z.number(), z.literal('inf')]),
  grads: z.array(nestedNumbers),
  total_norm: z.number(),
  clipped: z.array(nestedNumbers),
});

/** The norm before clipping and every gradient after it (float32: relative 1e-5). */
export const numericClipGradNorm = {
  name: 'numeric_clip_grad_norm',
  file: 'numeric_clip_grad_norm.json',
  async run(input: unknown): Promise<string | undefined> {
    await ensureCpu();
    const vector = ClipCase.parse(input);
    return tf.tidy(() => {
      const gradients = new Map(vector.grads.map((gradient, index) => [`g${index}`, toTensor(gradient)]));
      const { gradients: clipped, totalNorm } = clipGradNorm(gradients, vector.max_norm, vector.norm_type);
      const norm = firstDifference(totalNorm.dataSync(), [vector.total_norm], 1e-5);
      if (norm !== undefined) return `total norm: ${norm}`;
      for (const [index, expected] of vector.clipped.entries()) {
        const actual = clipped.get(`g${index}`)?.dataSync() ?? [];
        const failure = firstDifference(actual, flatten(expected), 1e-5);
        if (failure !== undefined) return `gradient ${index}: ${failure}`;
      }
      return undefined;
    });
  },
};
