import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { Adam, CrossEntropyLoss, type DataLoader, type Module, Trainer } from '../../../engine/index.ts';
import { rate } from './tasks.ts';

export type Batch = readonly [inputs: tf.Tensor, labels: tf.Tensor];

/** What happens around each slice. */
export interface Slices {
  /** Resolves when the slice may begin. */
  begin(slice: number): Promise<void>;
  end(): void | Promise<void>;
}

export interface SlicedOptions {
  readonly model: Module;
  readonly loader: DataLoader;
  /** Steps of a slice. */
  readonly steps: number;
  readonly compile: boolean | 'auto';
  /** Steps from one look at the loss to the next; never unless given. */
  readonly logEvery?: number;
  readonly slices?: Slices;
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Our Trainer, whose epochs are the benchmark's slices, so that starting and compiling are not counted. It never ends. */
export class SlicedTrainer extends Trainer<Batch> {
  readonly #slices: Slices | undefined;

  constructor({ model, loader, steps, compile, logEvery, slices }: SlicedOptions) {
    const folder = mkdtempSync(join(tmpdir(), 'training-bench-'));
    folders.push(folder);
    super({
      project_dir: folder,
      epochs: 1_000_000,
      epoch_length: steps,
      max_grad_norm: null,
      log_every_n_steps: logEvery ?? null,
      save_every_n_epochs: null,
      model,
      optimizer: new Adam(model.namedParameters(), { lr: rate }),
      loss_fn: new CrossEntropyLoss({ class_axis: -1 }),
      train_dataloader: loader,
      compile,
    });
    this.#slices = slices;
  }

  training_step([inputs, labels]: Batch): tf.Tensor {
    return this.loss_fn.call(this.model.call(inputs), labels);
  }

  validation_step(): void {
    throw new Error('there is no validation');
  }

  override on_train_epoch_start(): void | Promise<void> {
    return this.#slices?.begin(this.epoch);
  }

  override on_train_epoch_end(): void | Promise<void> {
    return this.#slices?.end();
  }
}

/** Trains in this process, a slice each time it is called; gives its seconds. */
export function slicedTraining(options: Omit<SlicedOptions, 'slices'>): () => Promise<number> {
  let turn = Promise.withResolvers<void>();
  let done = Promise.withResolvers<number>();
  let started = 0;
  const trainer = new SlicedTrainer({
    ...options,
    slices: {
      begin: async () => {
        await turn.promise;
        turn = Promise.withResolvers();
        started = performance.now();
      },
      end: () => done.resolve((performance.now() - started) / 1000),
    },
  });
  trainer.fit().catch((error: unknown) => done.reject(error));
  return async () => {
    turn.resolve();
    const seconds = await done.promise;
    done = Promise.withResolvers();
    return seconds;
  };
}
