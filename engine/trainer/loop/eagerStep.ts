import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { type LossGradients, lossGradients } from '../model/lossGradients.ts';
import type { NamedVariable } from '../model/module.ts';

/** What a micro-step leaves on the device; both are the caller's to dispose. */
export interface StepResult {
  /** The loss as training_step returned it. */
  readonly loss: tf.Scalar;
  /** By parameter name; parameters that the loss does not depend on are absent. */
  readonly gradients: Map<string, tf.Tensor>;
  /** Whether those of earlier micro-steps are in them already. */
  readonly areTotals?: boolean;
  /** Instead of the gradients: all of them as one vector, for the exchange between ranks. */
  readonly flat?: tf.Tensor | undefined;
}

/** How many tensors a result has. */
export function gradientTensors(result: StepResult | undefined): number {
  return result === undefined ? 0 : 1 + result.gradients.size + (result.flat === undefined ? 0 : 1);
}

/** Forward and backward of one micro-batch. */
export interface StepExecutor {
  /** `scale` divides the gradients: the number of micro-batches in an optimizer step, over the loss's own scale. */
  run(trainingStep: () => tf.Tensor, scale: number | (() => tf.Scalar)): StepResult;
}

/**
 * Runs the step operation by operation under the gradient tape of TensorFlow.js.
 * Throws `trainer.loss` when training_step returns no scalar or the loss depends on no trainable parameter.
 */
export class EagerStep implements StepExecutor {
  readonly #parameters: readonly NamedVariable[];

  constructor(parameters: readonly NamedVariable[]) {
    this.#parameters = parameters;
  }

  run(trainingStep: () => tf.Tensor, scale: number | (() => tf.Scalar)): StepResult {
    let loss: tf.Scalar | undefined;
    const scaled = (): tf.Scalar => {
      const result = checkLoss(trainingStep());
      if (scale === 1) return result;
      loss = tf.keep(result.clone());
      return tf.div(result, typeof scale === 'number' ? scale : scale());
    };
    // a hook may freeze some for a while
    const parameters = this.#parameters.filter(({ variable }) => variable.trainable);
    const { value, gradients: found } = gradientsOf(scaled, parameters);
    const gradients = new Map<string, tf.Tensor>();
    for (let i = 0; i < parameters.length; i++) {
      const [parameter, gradient] = [parameters[i], found[i]];
      if (parameter !== undefined && gradient !== undefined) gradients.set(parameter.name, gradient);
    }
    if (loss === undefined) return { loss: value, gradients };
    value.dispose();
    return { loss, gradients };
  }
}

function gradientsOf(loss: () => tf.Scalar, parameters: readonly NamedVariable[]): LossGradients {
  if (parameters.length === 0) {
    throw lossError(
      'The model has no trainable parameter: there is nothing to train. Do not freeze all of it with requiresGrad(false).',
    );
  }
  const found = lossGradients(
    loss,
    parameters.map(({ variable }) => variable),
  );
  if (found.gradients.some((gradient) => gradient !== undefined)) return found;
  found.value.dispose();
  throw lossError(
    'The loss depends on no trainable parameter of the model, so there are no gradients. Compute it with this.model, and with tensors all the way: numbers read with dataSync() have none.',
  );
}

function isScalar(value: unknown): value is tf.Scalar {
  return value instanceof tf.Tensor && value.rank === 0;
}

function checkLoss(value: unknown): tf.Scalar {
  if (value instanceof tf.Tensor && value.isDisposed) {
    throw lossError('training_step gave a loss that it had disposed. Leave it alone: the trainer frees it.');
  }
  if (isScalar(value)) return value;
  if (value instanceof Promise) {
    // nobody else will hear of it
    value.catch(() => undefined);
    throw lossError(
      'training_step is asynchronous; gradients can only be taken of a step that returns the loss itself. Move what must be awaited into another hook.',
    );
  }
  const found =
    value instanceof tf.Tensor
      ? `a tensor of shape [${value.shape}]; reduce it, for example with .mean()`
      : typeof value;
  throw lossError(`training_step must return the loss as a scalar tensor; it returned ${found}.`);
}

function lossError(text: string): EngineError {
  return new EngineError('trainer.loss', text, {});
}
