import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { requireWhole } from '../../../data/options.ts';

/** A size for both directions, or [vertical, horizontal], as PyTorch takes it. */
export function pair(owner: string, key: string, value: number | readonly number[], least = 1): [number, number] {
  const both = typeof value === 'number' ? [value, value] : value;
  if (both.length === 2) {
    return [requireWhole(owner, key, both[0], least), requireWhole(owner, key, both[1], least)];
  }
  throw new EngineError(
    'options.invalid',
    `${owner}: '${key}' must be a number or two numbers [vertical, horizontal].`,
    {
      owner,
      key,
    },
  );
}

/** Checks for [batch, height, width, channels]. */
export function asImages(owner: string, input: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, channels] = input.shape;
  if (
    input.rank !== 4 ||
    batch === undefined ||
    height === undefined ||
    width === undefined ||
    channels === undefined
  ) {
    throw new EngineError(
      'model.shape',
      `${owner} takes images [batch, height, width, channels]; it got a tensor of shape [${input.shape}].`,
      { owner, shape: input.shape },
    );
  }
  return input.as4D(batch, height, width, channels);
}
