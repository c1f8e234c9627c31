import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { loadBackend } from '../../engine/backend/index.ts';
import { DataLoader, ListDataset } from '../../engine/data/index.ts';
import { AdamW, CrossEntropyLoss } from '../../engine/optim/index.ts';
import { Dropout, Linear, MetricMonitor, manualSeed, ReLU, Sequential, Trainer } from '../../engine/trainer/index.ts';
import type { Benchmark } from './benchmark.ts';

type Batch = readonly [tf.Tensor, tf.Tensor];

const steps = 20_000;
const epochLength = 500;
const mebibyte = 2 ** 20;

/** What the process held at the end of an epoch, rubbish collected. */
interface Sample {
  readonly step: number;
  readonly rss: number;
  readonly tensors: number;
}

class Classifier extends Trainer<Batch> {
  readonly samples: Sample[] = [];

  training_step([points, labels]: Batch): tf.Tensor {
    return this.loss_fn.call(this.model.call(points), labels);
  }

  validation_step([points, labels]: Batch): void {
    this.accumulate({ loss: this.loss_fn.call(this.model.call(points), labels) });
  }

  override async on_train_epoch_end(): Promise<void> {
    globalThis.gc?.();
    // what native tensors leave is freed between tasks
    await setImmediate();
    const { numTensors: tensors } = tf.memory();
    this.samples.push({ step: this.step, rss: process.memoryUsage.rss(), tensors });
  }
}

/** A training with everything on that keeps something from step to step. */
async function train(): Promise<readonly Sample[]> {
  await loadBackend({ threads: 1, interOpThreads: 1 });
  manualSeed(1);
  const samples = Array.from({ length: 512 }, (_, i) => [
    Float32Array.from({ length: 16 }, (_value, k) => Math.sin(i * (k + 1))),
    i % 4,
  ]);
  const dataset = new ListDataset({ samples });
  const model = new Sequential(
    new Linear({ in_features: 16, out_features: 32 }),
    new ReLU(),
    new Dropout({ p: 0.1 }),
    new Linear({ in_features: 32, out_features: 4 }),
  );
  const folder = mkdtempSync(join(tmpdir(), 'memory-bench-'));
  const trainer = new Classifier({
    project_dir: folder,
    epochs: steps / epochLength,
    epoch_length: epochLength,
    gradient_accumulation_steps: 2,
    clip_grad_value: 1,
    ema: { decay: 0.99 },
    nan_policy: 'stop',
    loss_spike: {},
    save_every_n_steps: 4 * epochLength,
    save_every_n_epochs: null,
    metric_monitor: new MetricMonitor(),
    model,
    optimizer: new AdamW(model.namedParameters()),
    loss_fn: new CrossEntropyLoss(),
    train_dataloader: new DataLoader({ dataset, batch_size: 16, shuffle: true }),
    val_dataloader: new DataLoader({ dataset, batch_size: 128 }),
  });
  try {
    await trainer.fit();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return trainer.samples;
}

let measured: Promise<readonly Sample[]> | undefined;

/**
 * The last tenth of the training against the one after its first quarter, in which the optimizer makes its state, V8 its
 * code, and the allocator its pools. The lowest of each tenth counts, since what the allocator keeps for later swings.
 */
function flatness(what: 'rss' | 'tensors', unit: string, scale: number): Benchmark {
  const lowest = async (from: number, to: number) => {
    measured ??= train();
    const part = (await measured).filter(({ step }) => step > from * steps && step <= to * steps);
    return Math.min(...part.map((sample) => sample[what])) / scale;
  };
  return {
    name: `memory-${what}`,
    metric: `at the end of ${steps} steps / after their first quarter`,
    unit,
    rounds: 1,
    warmUps: 0,
    prepare: () => ({ ours: () => lowest(0.9, 1), peer: () => lowest(0.25, 0.35) }),
  };
}

export const benchmarks: readonly Benchmark[] = [flatness('tensors', 'tensors', 1), flatness('rss', 'MiB', mebibyte)];
