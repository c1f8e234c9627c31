// Our Trainer, whose epochs are the benchmark's slices, so that starting and compiling are not counted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import {
  Adam,
  CrossEntropyLoss,
  DataLoader,
  Dataset,
  type HostTensor,
  manualSeed,
  Trainer,
} from '../../../engine/index.ts';
import { GraphCalls } from './graphCalls.ts';
import { makeModel } from './models.ts';
import { nextSlice, SliceClock, say, serveSlices } from './slices.ts';
import { batches, batchSize, type ModelName, rate, sliceSteps, type TaskData, taskData } from './tasks.ts';

/** The whole batch at once: what feeding costs is the trainer's, not the data set's. */
class Prepared extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly length = batchSize * batches;
  readonly #data: TaskData;

  constructor(data: TaskData) {
    super();
    this.#data = data;
  }

  get(index: number): readonly [HostTensor, HostTensor] {
    const [inputs, labels] = this.getBatch([index]);
    return [
      { data: inputs.data, shape: inputs.shape.slice(1) },
      { data: labels.data, shape: labels.shape.slice(1) },
    ];
  }

  getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
    const { inputs, inputShape, labels, labelShape } = this.#data;
    const [from = 0] = indices;
    const part = <T extends Float32Array | Int32Array>(values: T, shape: readonly number[]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return { data: values.subarray(from * size, (from + indices.length) * size), shape: [indices.length, ...shape] };
    };
    return [part(inputs, inputShape), part(labels, labelShape)];
  }
}

type Batch = readonly [tf.Tensor, tf.Tensor];
type SlicedOptions = ConstructorParameters<typeof Trainer<Batch>>[0];

class SlicedTrainer extends Trainer<Batch> {
  readonly #clock = new SliceClock();
  readonly #bare: (() => Promise<never>) | undefined;

  /** `bare` takes over from the third epoch on. */
  constructor(options: SlicedOptions, bare?: () => Promise<never>) {
    super(options);
    this.#bare = bare;
  }

  training_step([inputs, labels]: Batch): tf.Tensor {
    return this.loss_fn.call(this.model.call(inputs), labels);
  }

  validation_step(): void {
    throw new Error('there is no validation');
  }

  override async on_train_epoch_start(): Promise<void> {
    if (this.#bare !== undefined) {
      if (this.epoch >= 2) await this.#bare();
      return;
    }
    await nextSlice();
    this.#clock.start();
  }

  override on_train_epoch_end(): void {
    if (this.#bare === undefined) this.#clock.finish();
  }
}

/** Serves slices of trainings; 'bare' only those of the calls of TensorFlow that a compiled training comes down to. */
export async function serveTrainer(
  name: ModelName,
  side: 'eager' | 'compiled' | 'bare',
  stretch: number,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'training-bench-'));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.on('exit', clean).on('SIGTERM', () => process.exit());
  manualSeed(1);
  const model = makeModel(name, true);
  const calls = side === 'bare' ? new GraphCalls() : undefined;
  const options: SlicedOptions = {
    project_dir: folder,
    epochs: 1_000_000,
    epoch_length: sliceSteps[name] * stretch,
    max_grad_norm: null,
    log_every_n_steps: null,
    save_every_n_epochs: null,
    model,
    optimizer: new Adam(model.namedParameters(), { lr: rate }),
    loss_fn: new CrossEntropyLoss({ class_axis: -1 }),
    train_dataloader: new DataLoader({ dataset: new Prepared(taskData(name)), batch_size: batchSize }),
    compile: side !== 'eager',
  };
  const bare = calls && (() => serveSlices(() => calls.repeat(sliceSteps[name] * stretch)));
  if (bare === undefined) say('ready');
  await new SlicedTrainer(options, bare).fit();
}
