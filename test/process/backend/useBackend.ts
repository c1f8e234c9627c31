// Run by backends.test.ts in a process of its own: `node useBackend.ts <backend> [threads | cpuOnly]`, prints
// one JSON line. An empty name leaves the choice to ACCELHYDRA_BACKEND.

import { readFileSync } from 'node:fs';
import * as projectTensors from '@tensorflow/tfjs';
import * as projectCore from '@tensorflow/tfjs-core';
import { type BackendName, loadBackend, nativeBinding } from '../../../engine/backend/index.ts';

const [name = '', option] = process.argv.slice(2);
const loaded = await loadBackend({
  ...(name === '' ? {} : { backend: name as BackendName | 'auto' }),
  ...(option === undefined ? {} : option === 'cpuOnly' ? { cpuOnly: true } : { threads: Number(option) }),
});
const { tf } = loaded;

const weights = tf.variable(
  tf.tensor2d([
    [1, 2],
    [3, 4],
  ]),
);
const input = tf.tensor2d([[1, -1]]);
const gradients = tf.variableGrads(() => tf.matMul(input, weights).square().sum() as projectTensors.Scalar);
const gradient = await Object.values(gradients.grads)[0]?.data();

const column = tf.tensor2d([[1], [2], [3]]);
const terms = Array.from({ length: 20 }, (_, i) => tf.fill([3], i + 1));
const half = tf.topk(tf.tensor1d([1, 3, 2]), 2).values;
const native = loaded.name === 'tensorflow' ? nativeBinding(tf) : undefined;
const tensorsBefore = native?.getNumOfTensors() ?? 0;
const raw = native?.executeOp(
  'Range',
  [{ name: 'Tidx', type: native.TF_ATTR_TYPE, value: native.TF_INT32 }],
  [0, 4, 1].map((value) => native.createTensor([], native.TF_INT32, Int32Array.of(value))),
  1,
)[0];
const range = native && raw ? [...native.tensorDataSync(raw.id)] : undefined;

process.stdout.write(
  `${JSON.stringify({
    name: loaded.name,
    description: loaded.description,
    gpu: loaded.gpu,
    threads: loaded.threads,
    tensorflowVersion: loaded.tensorflowVersion,
    passedOver: loaded.passedOver.map((item) => item.name),
    reasons: loaded.passedOver.map((item) => item.reason),
    sameTensors: projectTensors.engine() === tf.engine() && projectCore.engine() === tf.engine(),
    current: projectTensors.getBackend(),
    gradient: gradient && [...gradient],
    topk: [...(await half.data())],
    readAtOnce: [...tf.matMul(column, tf.tensor2d([[4]])).dataSync()],
    sumOfMany: tf.addN(terms).dataSync()[1],
    distinct: [...tf.unique(tf.tensor1d([5, 7, 5])).values.dataSync()],
    range,
    nativeTensors: native && native.getNumOfTensors() - tensorsBefore,
    osThreads:
      process.platform === 'linux'
        ? Number(/Threads:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
        : undefined,
  })}\n`,
  () => process.exit(0),
);
