import * as tf from '@tensorflow/tfjs';

/** A number, or a pair of whole numbers, that differs from step to step and is worked out on the host. */
export interface StepInput {
  readonly kind: 'scalar' | 'pair';
  /** Asked for once in each step. */
  readonly compute: () => number | readonly [number, number];
}

/** Hears of each input while a step is recorded, so that the graph asks for it again. */
export type StepInputListener = (input: StepInput, tensor: tf.Tensor) => void;

let listener: StepInputListener | undefined;

/** Runs `work` with somebody listening. */
export function listenToStepInputs<T>(to: StepInputListener, work: () => T): T {
  const before = listener;
  listener = to;
  try {
    return work();
  } finally {
    listener = before;
  }
}

/** A float32 scalar on the device whose value is worked out anew in each step, compiled or not. */
export function stepScalar(compute: () => number): tf.Scalar {
  const tensor = tf.scalar(compute(), 'float32');
  listener?.({ kind: 'scalar', compute }, tensor);
  return tensor;
}

/** Two int32 numbers on the device, worked out anew in each step: a seed of TensorFlow's stateless random operations. */
export function stepPair(compute: () => readonly [number, number]): tf.Tensor1D {
  const tensor = tf.tensor1d([...compute()], 'int32');
  listener?.({ kind: 'pair', compute }, tensor);
  return tensor;
}
