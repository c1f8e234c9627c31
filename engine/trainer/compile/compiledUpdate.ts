import * as tf from '@tensorflow/tfjs';
import type { Obstacle } from '../../backend/graph/index.ts';
import { Optimizer } from '../../optim/index.ts';
import type { Compiled } from './compiled.ts';
import { messageOf } from './signatureGraphs.ts';
import type { CurrentNumbers } from './stepRecorder.ts';
import type { CompiledUpdate, GivenGradients, StepCompilerOptions } from './stepRequest.ts';
import { flatKey, reducedKey } from './stepTrace.ts';

export interface UpdateOptions
  extends Pick<Compiled, 'step' | 'parameters'>,
    Pick<StepCompilerOptions, 'optimizer' | 'average' | 'scaler' | 'form'> {
  readonly numbers: CurrentNumbers;
  /** Told that the graph failed, which changed nothing. */
  readonly failed: (obstacle: Obstacle) => void;
}

/** The update as a graph of its own, for gradients that come from outside: looked at, or exchanged between ranks. */
export function updateOf(options: UpdateOptions): CompiledUpdate {
  const { step, parameters, optimizer, average, scaler, form, numbers, failed } = options;
  numbers.unscale = 1 / (scaler?.scale ?? 1);
  const run = (gradients: GivenGradients, names: readonly string[], updates: boolean) => {
    try {
      return step.run('update', { tensors: fedGradients(gradients) }, names, updates);
    } catch (error) {
      failed({ reason: `the graph of its update failed (${messageOf(error)})`, at: undefined });
      return undefined;
    }
  };
  return {
    names: [...parameters.keys()],
    isFlat: form === 'flat',
    norm: (gradients) => {
      const [norm] = run(gradients, ['gradNorm'], false) ?? [];
      return norm === undefined ? undefined : scalarOf(norm);
    },
    step: (gradients) => {
      if (average !== undefined) numbers.weight = average.nextWeight();
      if (run(gradients, [], true) === undefined) {
        average?.takeBackWeight();
        return false;
      }
      if (optimizer instanceof Optimizer) optimizer.countStep(numbers.plan);
      return true;
    },
  };
}

function fedGradients(gradients: GivenGradients): ReadonlyMap<string, tf.Tensor> {
  if (gradients instanceof tf.Tensor) return new Map([[flatKey, gradients]]);
  return new Map([...gradients].map(([name, gradient]) => [reducedKey(name), gradient]));
}

export function scalarOf(tensor: tf.Tensor): tf.Scalar {
  if (tensor.rank === 0) return tensor as tf.Scalar;
  throw new Error(`Internal error: a scalar of shape [${tensor.shape}]`);
}
