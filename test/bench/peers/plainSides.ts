// What users of TensorFlow.js without us write.
import * as tf from '@tensorflow/tfjs';
import { beginNoise } from '../../../engine/trainer/model/randomness.ts';
import { makeModel } from './models.ts';
import { makePlainModel } from './plainModels.ts';
import { batches, batchSize, type ModelName, rate, sliceSteps, type TaskData, taskData, text } from './tasks.ts';

/** What the tutorials show: minimize, and a tidy around the batch; the model from its plain operations. */
export function handWritten(name: ModelName): () => void {
  const network = makeModel(name, false);
  const variables = network.namedParameters().map(({ variable }) => variable);
  const optimizer = tf.train.adam(rate);
  const data = taskData(name);
  let step = 0;
  return () => {
    for (let i = 0; i < sliceSteps[name]; i++) {
      beginNoise({ seed: 1, rank: 0, step });
      tf.tidy(() => {
        const [inputs, labels] = batchOf(data, step++ % batches);
        optimizer.minimize(() => meanLoss(oneHot(labels, name), network.call(inputs)), false, variables);
      });
    }
  };
}

export function modelFit(name: ModelName): () => Promise<unknown> {
  const network = makePlainModel(name);
  network.compile({ optimizer: tf.train.adam(rate), loss: meanLoss });
  const { inputs, inputShape, labels, labelShape } = taskData(name);
  const rows = sliceSteps[name] * batchSize;
  const repeat = (values: Float32Array | Int32Array, shape: readonly number[]) => {
    const size = shape.reduce((product, length) => product * length, rows);
    return tf.tensor(
      Float32Array.from({ length: size }, (_, i) => values[i % values.length] ?? 0),
      [rows, ...shape],
    );
  };
  const x = repeat(inputs, inputShape);
  // made beforehand, which spares this side the work
  const y = tf.tidy(() => oneHot(repeat(labels, labelShape), name));
  return () => network.fit(x, y, { batchSize, epochs: 1, shuffle: false, verbose: 0 });
}

function batchOf({ inputs, inputShape, labels, labelShape }: TaskData, index: number): [tf.Tensor, tf.Tensor] {
  const make = (values: Float32Array | Int32Array, shape: readonly number[]) => {
    const size = shape.reduce((product, length) => product * length, batchSize);
    return tf.tensor(values.subarray(index * size, (index + 1) * size), [batchSize, ...shape]);
  };
  return [make(inputs, inputShape), make(labels, labelShape)];
}

function oneHot(labels: tf.Tensor, name: ModelName): tf.Tensor {
  return tf.oneHot(labels.toInt(), name === 'char' ? text.vocabulary : 10).toFloat();
}

function meanLoss(wanted: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  return tf.losses.softmaxCrossEntropy(wanted, logits).asScalar();
}
