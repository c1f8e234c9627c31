import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { loadBackend } from '../../engine/backend/index.ts';
import {
  Adam,
  Conv2d,
  CrossEntropyLoss,
  DataLoader,
  Dataset,
  disposeBatch,
  Flatten,
  type HostTensor,
  Linear,
  MaxPool2d,
  type Module,
  manualSeed,
  ReLU,
  Sequential,
  Trainer,
} from '../../engine/index.ts';
import type { Benchmark, Contest } from './benchmark.ts';

const batchSize = 64;
const steps = 40;

type Batch = readonly [tf.Tensor, tf.Tensor];

/** Images of noise, made once: reading data is part of both sides, preparing it is not. */
class Noise extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly length = batchSize * 16;
  readonly #images = Float32Array.from({ length: this.length * 784 }, (_, i) => Math.sin(i * 0.37));

  get(index: number): readonly [HostTensor, HostTensor] {
    const data = this.#images.subarray(index * 784, (index + 1) * 784);
    return [
      { data, shape: [28, 28, 1] },
      { data: Int32Array.of(index % 10), shape: [] },
    ];
  }

  getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
    const data = new Float32Array(indices.length * 784);
    indices.forEach((index, i) => {
      data.set(this.#images.subarray(index * 784, (index + 1) * 784), i * 784);
    });
    return [
      { data, shape: [indices.length, 28, 28, 1] },
      { data: Int32Array.from(indices, (index) => index % 10), shape: [indices.length] },
    ];
  }
}

function convolutional(): Module {
  return new Sequential(
    new Conv2d({ in_channels: 1, out_channels: 8, kernel_size: 3, padding: 1 }),
    new ReLU(),
    new MaxPool2d({ kernel_size: 2 }),
    new Conv2d({ in_channels: 8, out_channels: 16, kernel_size: 3, padding: 1 }),
    new ReLU(),
    new MaxPool2d({ kernel_size: 2 }),
    new Flatten(),
    new Linear({ in_features: 784, out_features: 10 }),
  );
}

function perceptron(): Module {
  return new Sequential(
    new Flatten(),
    new Linear({ in_features: 784, out_features: 128 }),
    new ReLU(),
    new Linear({ in_features: 128, out_features: 10 }),
  );
}

class BenchTrainer extends Trainer<Batch> {
  training_step([images, labels]: Batch): tf.Tensor {
    return this.loss_fn.call(this.model.call(images), labels);
  }

  validation_step([images]: Batch): void {
    this.model.call(images);
  }
}

/** The Trainer with what it does by default against the shortest loop that trains the same model with the same parts. */
function trainerAgainstLoop(name: string, metric: string, makeModel: () => Module): Benchmark {
  return {
    name: `trainer-overhead-${name}`,
    metric,
    unit: 'samples/s',
    rounds: 41,
    warmUps: 3,
    prepare: () => prepare(makeModel),
  };
}

async function prepare(makeModel: () => Module): Promise<Contest> {
  await loadBackend({ threads: 1, interOpThreads: 1 });
  const folder = mkdtempSync(join(tmpdir(), 'trainer-bench-'));
  const side = () => {
    manualSeed(1);
    const model = makeModel();
    const optimizer = new Adam(model.namedParameters(), { lr: 1e-6 });
    return {
      model,
      optimizer,
      loss: new CrossEntropyLoss(),
      loader: new DataLoader({ dataset: new Noise(), batch_size: batchSize, shuffle: true }),
    };
  };
  const [own, bare] = [side(), side()];
  return {
    ours: () => timed(() => trainerRun(own, folder)),
    peer: () => timed(() => handWritten(bare)),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Side {
  readonly model: Module;
  readonly optimizer: Adam;
  readonly loss: CrossEntropyLoss;
  readonly loader: DataLoader;
}

async function trainerRun({ model, optimizer, loss, loader }: Side, folder: string): Promise<void> {
  const trainer = new BenchTrainer({
    project_dir: folder,
    epochs: 1,
    epoch_length: steps,
    max_grad_norm: null,
    save_every_n_epochs: null,
    model,
    optimizer,
    loss_fn: loss,
    train_dataloader: loader,
  });
  await trainer.fit();
}

/** What anybody would write: gradients, optimizer step, and the loss read now and then. */
async function handWritten({ model, optimizer, loss, loader }: Side): Promise<void> {
  const parameters = model.namedParameters();
  const variables = parameters.map(({ variable }) => variable);
  let step = 0;
  while (step < steps) {
    for await (const batch of loader) {
      if (!isBatch(batch)) throw new Error('a batch is [images, labels]');
      const [images, labels] = batch;
      const { value, grads } = tf.variableGrads(() => loss.call(model.call(images), labels).asScalar(), variables);
      const gradients = new Map(
        parameters.flatMap(({ name, variable }) =>
          grads[variable.name] ? [[name, grads[variable.name] as tf.Tensor]] : [],
        ),
      );
      optimizer.step(gradients);
      if (step % 50 === 0) await value.data();
      tf.dispose([value, ...gradients.values()]);
      disposeBatch(batch);
      if (++step === steps) break;
    }
  }
  for (const { variable } of parameters.slice(0, 1)) await variable.data();
}

function isBatch(value: unknown): value is Batch {
  return Array.isArray(value) && value.length === 2;
}

async function timed(run: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await run();
  // what native tensors leave to be cleaned up is cleaned up between tasks: each side pays for its own
  await setImmediate();
  return (steps * batchSize) / ((performance.now() - started) / 1000);
}

export const benchmarks: readonly Benchmark[] = [
  trainerAgainstLoop('mlp', 'training an MLP, batch 64, one thread', perceptron),
  trainerAgainstLoop('cnn', 'training a small CNN, batch 64, one thread', convolutional),
];
