import * as tf from '@tensorflow/tfjs';

/** Runs work and gives to `see` what it kept and has not freed since, whether it throws or not. */
export function seeingKept<T>(work: () => T, see: (kept: readonly tf.Tensor[]) => void): T {
  const engine = tf.engine();
  const kept = new Set<tf.Tensor>();
  const { keep } = engine;
  engine.keep = <K extends tf.Tensor>(tensor: K): K => {
    kept.add(tensor);
    Reflect.apply(keep, engine, [tensor]);
    return tensor;
  };
  try {
    return work();
  } finally {
    // the method of the prototype again
    Reflect.deleteProperty(engine, 'keep');
    see([...kept].filter(({ isDisposed }) => !isDisposed));
  }
}

const abandoned = new FinalizationRegistry<tf.Tensor>((twin) => {
  twin.dispose();
});

/**
 * Frees a kept tensor as soon as no code can reach it. Sooner would be wrong: that the rehearsal which kept it was put
 * back does not tell whether a variable of some module, or a closure, holds it for later steps.
 */
export function freeWhenUnreachable(tensor: tf.Tensor): void {
  const { shape, dtype, dataId, id } = tensor;
  // the same data by another object, which TensorFlow.js does not count
  abandoned.register(tensor, new tf.Tensor(shape, dtype, dataId, id), tensor);
  const dispose = tensor.dispose;
  tensor.dispose = () => {
    abandoned.unregister(tensor);
    dispose.call(tensor);
  };
}
