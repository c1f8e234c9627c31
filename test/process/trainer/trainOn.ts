// Trains a model with every layer on the backend named by the first argument; then again, stopped in the middle and
// resumed. Prints what came of it as one line of JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { type BackendName, loadBackend } from '../../../engine/backend/index.ts';
import {
  AdamW,
  BatchNorm2d,
  Conv2d,
  CrossEntropyLoss,
  DataLoader,
  Dropout,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  ListDataset,
  MaxPool2d,
  MetricMonitor,
  Module,
  MultiheadAttention,
  manualSeed,
  ReLU,
  Sequential,
  standaloneEnvironment,
  Trainer,
} from '../../../engine/index.ts';

type Batch = readonly [tf.Tensor, tf.Tensor, tf.Tensor];

class Everything extends Module<readonly [tf.Tensor, tf.Tensor]> {
  readonly image = new Sequential(
    new Conv2d({ in_channels: 1, out_channels: 4, kernel_size: 3, padding: 1 }),
    new BatchNorm2d({ num_features: 4 }),
    new ReLU(),
    new MaxPool2d({ kernel_size: 2 }),
    new Conv2d({ in_channels: 4, out_channels: 6, kernel_size: 3, stride: 2, padding: 1 }),
    new GELU(),
    new Flatten(),
    new Dropout({ p: 0.2 }),
    new Linear({ in_features: 24, out_features: 8 }),
  );
  readonly words = new Embedding({ num_embeddings: 5, embedding_dim: 8 });
  readonly attention = new MultiheadAttention({ embed_dim: 8, num_heads: 2, dropout: 0.1 });
  readonly norm = new LayerNorm({ normalized_shape: 8 });
  readonly head = new Linear({ in_features: 8, out_features: 3 });

  call(images: tf.Tensor, words: tf.Tensor): tf.Tensor {
    const text = this.words.call(words);
    const seen = this.norm.call(text.add(this.attention.call(text, { is_causal: true }))).mean(1);
    return this.head.call(seen.add(this.image.call(images)));
  }
}

class EverythingTrainer extends Trainer<Batch, Everything> {
  readonly losses: number[] = [];

  training_step([images, words, labels]: Batch): tf.Tensor {
    const loss = this.loss_fn.call(this.model.call(images, words), labels);
    this.losses.push(loss.dataSync()[0] ?? Number.NaN);
    return loss;
  }

  validation_step([images, words, labels]: Batch): void {
    this.accumulate({ loss: this.loss_fn.call(this.model.call(images, words), labels) });
  }
}

const samples = Array.from({ length: 24 }, (_, i) => [
  { data: Float32Array.from({ length: 64 }, (_, j) => Math.sin(i * 7 + j)), shape: [8, 8, 1] },
  Int32Array.from({ length: 4 }, (_, j) => (i * 3 + j) % 5),
  i % 3,
]);

async function train(folder: string, resumeFrom?: string, stopAt?: number) {
  manualSeed(2);
  const model = new Everything();
  const optimizer = new AdamW(model.namedParameters(), { lr: 0.01 });
  const dataset = new ListDataset({ samples });
  const stop = { requested: false };
  const trainer = new EverythingTrainer({
    project_dir: folder,
    epochs: 3,
    save_every_n_epochs: null,
    gradient_accumulation_steps: 2,
    metric_monitor: new MetricMonitor(),
    model,
    optimizer,
    loss_fn: new CrossEntropyLoss(),
    train_dataloader: new DataLoader({ dataset, batch_size: 4, shuffle: true }),
    val_dataloader: new DataLoader({ dataset, batch_size: 5 }),
  });
  const environment = standaloneEnvironment();
  const step = trainer.training_step.bind(trainer);
  trainer.training_step = (batch) => {
    stop.requested = trainer.step + 1 === stopAt;
    return step(batch);
  };
  const result = await trainer.attach({ ...environment, stop, seed: 4, resumeFrom }).fit();
  const weights: number[] = [];
  for (const tensor of model.stateDict().values()) weights.push(...(await tensor.data()));
  return { trainer, model, optimizer, result, weights };
}

const backend = await loadBackend({ backend: process.argv[2] as BackendName, threads: 1, interOpThreads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'train-on-'));
const whole = await train(folder);
const first = await train(folder, undefined, 9);
const before = tf.memory().numTensors;
const second = await train(folder, first.result.checkpoint);
second.model.dispose();
second.optimizer.dispose();
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    backend: backend.name,
    losses: whole.trainer.losses,
    metrics: whole.result.metrics,
    weights: whole.weights,
    resumedLosses: [...first.trainer.losses, ...second.trainer.losses],
    resumedWeights: second.weights,
    stoppedAt: first.result.step,
    leaked: tf.memory().numTensors - before,
  }),
);
