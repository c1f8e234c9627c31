import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';

/** Scores of classes as rows, with what is needed to give results their shape back. */
export interface ClassRows {
  /** (rows, classes) */
  readonly rows: tf.Tensor2D;
  readonly classes: number;
  /** The input's shape without the class axis. */
  readonly outer: readonly number[];
}

/**
 * Brings the class axis to the end and flattens the others. Call it inside `tf.tidy`.
 * @param classAxis 1 is PyTorch's (N, C, d1, …); -1 is (N, d1, …, C). An input of one dimension is one example.
 */
export function toRows(input: tf.Tensor, classAxis: number, loss: string): ClassRows {
  const axis = input.rank === 1 ? 0 : classAxis < 0 ? input.rank + classAxis : classAxis;
  const classes = input.shape[axis];
  if (classes === undefined) {
    throw new EngineError(
      'loss.shape',
      `${loss} looks for classes on axis ${classAxis}, but the input has shape [${input.shape}].`,
      { loss, input: input.shape, classAxis },
    );
  }
  const outer = input.shape.filter((_, index) => index !== axis);
  const order = [...outer.keys()].map((index) => (index < axis ? index : index + 1));
  const last = axis === input.rank - 1 ? input : tf.transpose(input, [...order, axis]);
  return { rows: tf.reshape(last, [-1, classes]), classes, outer };
}

/** Class numbers as int32 (rows). @throws EngineError `loss.shape` | `loss.label-out-of-range` */
export function labelRows(
  input: tf.Tensor,
  target: tf.Tensor,
  { outer, classes }: ClassRows,
  ignored: number,
  loss: string,
): tf.Tensor1D {
  if (!tf.util.arraysEqual([...outer], target.shape)) throw shapeError(input, target, outer, loss);
  const labels = tf.reshape(target.dtype === 'int32' ? target : tf.cast(target, 'int32'), [-1]).as1D();
  checkLabels(labels, classes, ignored, loss);
  return labels;
}

function shapeError(input: tf.Tensor, target: tf.Tensor, outer: readonly number[], loss: string): EngineError {
  const classesLast = tf.util.arraysEqual(input.shape.slice(0, -1), target.shape);
  const hint = classesLast
    ? ` The classes seem to be last: set class_axis: -1.`
    : ` Class numbers need shape [${outer}], probabilities the input's shape.`;
  return new EngineError(
    'loss.shape',
    `${loss}: the input has shape [${input.shape}] and the target [${target.shape}].${hint}`,
    { loss, input: input.shape, target: target.shape },
  );
}

/** Where tensors lie in host memory anyway, a wrong label is found at once; elsewhere TensorFlow or a NaN loss tells. */
function checkLabels(labels: tf.Tensor1D, classes: number, ignored: number, loss: string): void {
  const backend = tf.getBackend();
  if (backend !== 'cpu' && backend !== 'wasm') return;
  const wrong = labels.dataSync().find((label) => label !== ignored && (label < 0 || label >= classes));
  if (wrong !== undefined) throw labelError(wrong, classes, loss);
}

export function labelError(label: number | undefined, classes: number, loss: string, cause?: unknown): EngineError {
  return new EngineError(
    'loss.label-out-of-range',
    `${loss} got ${label === undefined ? 'a label' : `the label ${label}`} outside 0 … ${classes - 1}: the model has ${classes} classes. Check the model's number of classes and the data's labels.`,
    { loss, label, classes },
    { cause },
  );
}
