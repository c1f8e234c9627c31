import * as tf from '@tensorflow/tfjs';
import {
  attribute,
  isMixedPrecision,
  type NativeBackend,
  nativeBackendOf,
  tryOptional,
} from '../../../backend/index.ts';
import { fused } from './gradients.ts';

export interface SelfAttention {
  readonly heads: number;
  /** Whether position i sees positions up to i only. */
  readonly causal: boolean;
  /** Multiplies the weights: [batch, heads, length, length]. */
  readonly kept?: tf.Tensor | undefined;
}

/**
 * softmax(q kᵀ / √width) v of each head, in one pass that never holds all weights. `joined` [batch, length, 3 · heads · width]
 * has the queries of all heads, then keys, then values; the result is [batch, length, heads · width]. Undefined where the
 * kernel for it is not there.
 */
export function nativeSelfAttention(joined: tf.Tensor, attention: SelfAttention): tf.Tensor | undefined {
  const backend = nativeBackendOf(tf);
  if (backend === undefined || joined.dtype !== 'float32' || joined.size === 0 || isMixedPrecision()) return undefined;
  // what is saved for the way back is kept by the tape; without one nobody needs it
  return tf.tidy(() => attend(backend, joined, attention));
}

function attend(
  backend: NativeBackend,
  joined: tf.Tensor,
  { heads, causal, kept = tf.zeros([0]) }: SelfAttention,
): tf.Tensor | undefined {
  const { binding } = backend;
  const attributes = [attribute.int(binding, 'heads', heads), attribute.bool(binding, 'causal', causal)];
  const [output, logSum] = tryOptional(backend, 'AccelHydraSelfAttention', attributes, [joined, kept], 2) ?? [];
  if (output === undefined || logSum === undefined) return undefined;
  return fused(
    {
      name: 'MultiheadAttention',
      forward: ([input = joined], save) => {
        save([input, kept, logSum]);
        return output;
      },
      backward: (dy, [input = joined, ...rest]) => {
        const [slope] = tryOptional(backend, 'AccelHydraSelfAttentionGrad', attributes, [dy, input, ...rest], 1) ?? [];
        if (slope === undefined) throw new Error('Internal error: an attention without its gradient');
        return [slope];
      },
    },
    [joined],
  );
}
