import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { StepForm } from '../../../engine/api/training.ts';
import { type NativeBinding, nativeBinding } from '../../../engine/backend/index.ts';
import { DataLoader, Dataset, type HostTensor } from '../../../engine/data/index.ts';
import { Adam, MSELoss } from '../../../engine/optim/index.ts';
import type { TrainerEnvironment } from '../../../engine/trainer/environment.ts';
import { Linear, Sequential, Tanh } from '../../../engine/trainer/model/layers/index.ts';
import type { Module } from '../../../engine/trainer/model/module.ts';
import { manualSeed } from '../../../engine/trainer/model/randomness.ts';
import type { OptimizerLike } from '../../../engine/trainer/ports.ts';
import { Trainer, type TrainerOptions } from '../../../engine/trainer/trainer.ts';
import { MemoryFiles, memoryCollectives, record } from '../../unit/trainer/support.ts';

export type Batch = readonly [x: tf.Tensor, y: tf.Tensor];

/** Inputs and targets that differ from sample to sample and are the same in every process. */
export class Waves extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly length: number;
  readonly #input: readonly number[];
  readonly #target: 'number' | 'class' | readonly number[];
  readonly #isWhole: boolean;

  /** `target` 'class' gives class numbers from 0 to 3; `isWhole` gives int32 inputs from 0 to 4. */
  constructor(
    length: number,
    input: readonly number[],
    target: 'number' | 'class' | readonly number[],
    isWhole = false,
  ) {
    super();
    this.length = length;
    this.#input = input;
    this.#target = target;
    this.#isWhole = isWhole;
  }

  get(index: number): readonly [HostTensor, HostTensor] {
    const size = this.#input.reduce((product, item) => product * item, 1);
    const data = this.#isWhole
      ? Int32Array.from({ length: size }, (_, i) => (index * 3 + i) % 5)
      : Float32Array.from({ length: size }, (_, i) => Math.sin(index * 1.3 + i * 0.7));
    return [{ data, shape: [...this.#input] }, this.#targetOf(index)];
  }

  #targetOf(index: number): HostTensor {
    if (this.#target === 'class') return { data: Int32Array.of(index % 4), shape: [] };
    const shape = this.#target === 'number' ? [1] : [...this.#target];
    const size = shape.reduce((product, item) => product * item, 1);
    return { data: Float32Array.from({ length: size }, (_, i) => (Math.cos(index + i) + 1) / 2), shape };
  }
}

export class StepTrainer extends Trainer<Batch> {
  seen: tf.Tensor | undefined;

  training_step([x, y]: Batch, _index: number): tf.Tensor {
    return this.loss_fn.call(this.model.call(x), y);
  }

  validation_step([x, y]: Batch): void {
    this.accumulate({ loss: this.loss_fn.call(this.model.call(x), y) });
  }
}

export interface Run {
  readonly model: () => Module;
  readonly data: Dataset;
  readonly compile: boolean | 'auto';
  readonly optimizer?: (model: Module) => OptimizerLike;
  readonly options?: Partial<TrainerOptions<Module>>;
  readonly environment?: Partial<TrainerEnvironment>;
  readonly batchSize?: number;
  readonly files?: MemoryFiles;
  readonly trainer?: typeof StepTrainer;
}

export interface Outcome {
  readonly losses: number[];
  readonly weights: number[];
  readonly slots: number[];
  readonly texts: string[];
  /** How steps ran at the end, as who watches is told. */
  readonly form: StepForm | undefined;
  readonly points: (key: string) => { step: number; value: number }[];
  readonly trainer: StepTrainer;
}

/** A training from the same weights on the same data, whatever it runs by. */
export async function train(run: Run): Promise<Outcome> {
  manualSeed(5);
  const model = run.model();
  const recording = record();
  const make = run.trainer ?? StepTrainer;
  const optimizer = run.optimizer?.(model) ?? new Adam(model.namedParameters(), { lr: 0.01 });
  const trainer = new make({
    project_dir: '/run',
    epochs: 1,
    loss_fn: new MSELoss(),
    train_dataloader: new DataLoader({ dataset: run.data, batch_size: run.batchSize ?? 4 }),
    optimizer,
    log_every_n_steps: 1,
    compile: run.compile,
    ...run.options,
    model,
  });
  trainer.storeCheckpointsIn(run.files ?? new MemoryFiles()).attach({
    collective: memoryCollectives(1)[0] as NonNullable<ReturnType<typeof memoryCollectives>[0]>,
    reporter: recording.reporter,
    stop: { requested: false },
    clock: { now: () => performance.now() },
    seed: 7,
    ...run.environment,
  });
  await trainer.fit();
  const weights = [...model.namedParameters(), ...model.namedBuffers()].flatMap(({ variable }) => [
    ...variable.dataSync(),
  ]);
  const { tensors } = optimizer.stateDict();
  const slots = [...tensors.values()].flatMap((tensor) => [...tensor.dataSync()]);
  for (const tensor of tensors.values()) tensor.dispose();
  return {
    losses: recording.points('train/loss').map(({ value }) => value),
    weights,
    slots,
    texts: recording.texts(),
    form: recording.reports.findLast((report) => report.type === 'progress')?.progress.steps,
    points: recording.points,
    trainer,
  };
}

export const perceptron = () =>
  new Sequential(
    new Linear({ in_features: 3, out_features: 8 }),
    new Tanh(),
    new Linear({ in_features: 8, out_features: 1 }),
  );

export function expectSame(a: Outcome, b: Outcome, tolerance = 1e-6): void {
  for (const key of ['losses', 'weights', 'slots'] as const) {
    expect(a[key]).toHaveLength(b[key].length);
    const worst = Math.max(
      0,
      ...a[key].map((value, i) => Math.abs(value - (b[key][i] ?? Number.NaN)) / Math.max(1, Math.abs(value))),
    );
    expect({ key, worst: worst <= tolerance ? 'small' : worst }).toEqual({ key, worst: 'small' });
  }
}

/** Does something with calls of the binding replaced. */
export async function withBinding<T>(
  changes: (binding: NativeBinding) => Partial<NativeBinding>,
  work: () => T | Promise<T>,
): Promise<T> {
  const backend: object = tf.backend();
  const binding = nativeBinding(tf);
  Reflect.set(backend, 'binding', Object.create(binding, Object.getOwnPropertyDescriptors(changes(binding))));
  try {
    return await work();
  } finally {
    Reflect.set(backend, 'binding', binding);
  }
}
