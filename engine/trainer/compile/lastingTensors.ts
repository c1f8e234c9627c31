import * as tf from '@tensorflow/tfjs';

/** What outlives the work that made it, by the place where it was made or kept. */
export interface Lasting {
  /** Tensors that were kept and have not been freed since. */
  readonly kept: ReadonlyMap<tf.Tensor, Error>;
  readonly variables: ReadonlyMap<tf.Variable, Error>;
  readonly spared: ReadonlyMap<tf.Tensor, Error>;
}

/**
 * Runs work and gives to `see` what lasts beyond it, whether it throws or not. Tensors that were there before outlive
 * it: those that it freed are told, by the place where it did so, and are there again. `place` makes that of each tensor,
 * by default with the stack of the call.
 */
export function seeingLasting<T>(
  work: () => T,
  see: (lasting: Lasting) => void,
  place: (what: string) => Error = (what) => new Error(what),
): T {
  const engine = tf.engine();
  const kept = new Map<tf.Tensor, Error>();
  const variables = new Map<tf.Variable, Error>();
  const spared = new Map<tf.Tensor, Error>();
  const { keep, makeVariable, disposeTensor } = engine;
  const mark = tf.scalar(0);
  mark.dispose();
  engine.keep = <K extends tf.Tensor>(tensor: K): K => {
    kept.set(tensor, place('kept here'));
    Reflect.apply(keep, engine, [tensor]);
    return tensor;
  };
  engine.makeVariable = (...given) => {
    const variable = makeVariable.apply(engine, given);
    variables.set(variable, place('made here'));
    return variable;
  };
  engine.disposeTensor = (tensor) => {
    // numbers go up as tensors are made; a variable lets go of a value when it gets another one
    if (tensor.id > mark.id || tensor instanceof tf.Variable) disposeTensor.call(engine, tensor);
    else spared.set(tensor, place('freed here'));
  };
  try {
    return work();
  } finally {
    // put back, not deleted: an object that lost a property has slow ones in V8, and every operation goes through this one
    Object.assign(engine, { keep, makeVariable, disposeTensor });
    for (const tensor of spared.keys()) Reflect.set(tensor, 'isDisposedInternal', false);
    for (const tensor of kept.keys()) if (tensor.isDisposed) kept.delete(tensor);
    see({ kept, variables, spared });
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
