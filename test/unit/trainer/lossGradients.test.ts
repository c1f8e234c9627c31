// Gradients by the trainer's walk over the tape against those of tf.variableGrads.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { lossGradients } from '../../../engine/trainer/model/lossGradients.ts';

const variables: tf.Variable[] = [];
afterEach(() => {
  for (const variable of variables.splice(0)) variable.dispose();
});

function variable(values: number[]): tf.Variable {
  const made = tf.variable(tf.tensor1d(values));
  variables.push(made);
  return made;
}

/** Joins two vectors of two numbers into one. */
const joins: Readonly<Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor>> = {
  add: (a, b) => tf.add(a, b),
  mul: (a, b) => tf.mul(a, b),
  twice: (a) => tf.add(a, a),
  tanh: (a) => tf.tanh(a),
  swapped: (a, b) => {
    const [first, second] = tf.split(a, 2) as [tf.Tensor, tf.Tensor];
    return tf.concat([second, tf.mul(first, tf.sum(b))]);
  },
  half: (a, b) => tf.add(tf.concat([tf.split(a, 2)[1] as tf.Tensor, tf.zeros([1])]), tf.mul(b, 0)),
  constant: () => tf.tensor1d([0.5, -2]),
};

interface Step {
  readonly join: string;
  readonly a: number;
  readonly b: number;
}

/** Each step joins two of what there is so far; the loss is the sum of the last two. */
function lossOf(steps: readonly Step[], start: readonly tf.Tensor[]): tf.Scalar {
  const made = [...start];
  const at = (index: number) => made[index % made.length] as tf.Tensor;
  for (const { join, a, b } of steps) made.push(joins[join]?.(at(a), at(b)) as tf.Tensor);
  return tf.tidy(() => tf.sum(tf.add(at(made.length - 1), at(made.length - 2))) as tf.Scalar);
}

describe('gradients of a loss', () => {
  test('of any computation are those of tf.variableGrads, and nothing else is left', () => {
    const steps = fc.array(fc.record({ join: fc.constantFrom(...Object.keys(joins)), a: fc.nat(30), b: fc.nat(30) }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(steps, fc.double({ min: -2, max: 2, noNaN: true }), (chosen, number) => {
        const weights = [variable([number, 1]), variable([0.3, -0.7]), variable([1, 2])];
        const loss = () => lossOf(chosen, weights);
        let theirs: ReturnType<typeof tf.variableGrads> | undefined;
        try {
          theirs = tf.variableGrads(loss, weights);
        } catch (error) {
          expect(String(error)).toMatch(/Cannot find a connection/);
        }
        const before = tf.memory().numTensors;
        const { value, gradients } = lossGradients(loss, weights);
        const found = gradients.map((gradient) => gradient && [...gradient.dataSync()]);
        expect(found).toEqual(
          weights.map(({ name }) => {
            const gradient = theirs?.grads[name];
            return gradient && [...gradient.dataSync()];
          }),
        );
        if (theirs !== undefined) expect(value.dataSync()).toEqual(theirs.value.dataSync());
        tf.dispose([value, ...gradients.flatMap((gradient) => gradient ?? [])]);
        expect(tf.memory().numTensors).toBe(before);
        tf.dispose([theirs?.value ?? [], theirs?.grads ?? {}]);
        for (const weight of weights) weight.dispose();
      }),
      { numRuns: 200 },
    );
  });

  test('only of the variables that are asked for', () => {
    const [a, b] = [variable([1, 2]), variable([3, 4])];
    const { gradients } = lossGradients(() => tf.sum(tf.mul(a, b)), [b]);
    expect(gradients.map((gradient) => gradient && [...gradient.dataSync()])).toEqual([[1, 2]]);
  });

  test('within another gradient, and with one of its own inside', () => {
    const a = variable([1, 2]);
    const penalty = () => {
      const inner = tf.grad((x: tf.Tensor) => tf.sum(tf.pow(x, 3)))(a);
      return tf.sum(tf.square(inner)) as tf.Scalar;
    };
    const theirs = tf.variableGrads(penalty, [a]);
    expect([...(lossGradients(penalty, [a]).gradients[0]?.dataSync() ?? [])]).toEqual([
      ...(theirs.grads[a.name]?.dataSync() ?? []),
    ]);
    const outer = (gradientsOf: () => tf.Tensor) => tf.variableGrads(() => tf.sum(gradientsOf()), [a]).grads[a.name];
    const cubes = () => tf.sum(tf.pow(a, 3)) as tf.Scalar;
    const nested = outer(() => lossGradients(cubes, [a]).gradients[0] as tf.Tensor);
    expect([...(nested?.dataSync() ?? [])]).toEqual([6, 12]);
  });

  test('say which operation has none, and can be taken again afterwards', () => {
    const a = variable([1, 2]);
    expect(() => lossGradients(() => tf.sum(tf.cumprod(a)) as tf.Scalar, [a])).toThrow(
      /gradient function not found for Cumprod/,
    );
    expect(() =>
      lossGradients(() => {
        throw new RangeError('a mistake of the step');
      }, [a]),
    ).toThrow('a mistake of the step');
    expect([...(lossGradients(() => tf.sum(a) as tf.Scalar, [a]).gradients[0]?.dataSync() ?? [])]).toEqual([1, 1]);
  });
});
