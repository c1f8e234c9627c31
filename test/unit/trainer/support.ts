import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { Collective, Reporter, WorkerReport } from '../../../engine/api/training.ts';
import { planPruning, type SetAside } from '../../../engine/checkpoint/index.ts';
import { DataLoader, ListDataset } from '../../../engine/data/index.ts';
import { MSELoss, SGD } from '../../../engine/optim/index.ts';
import type {
  CheckpointContent,
  CheckpointFiles,
  CheckpointPlace,
} from '../../../engine/trainer/checkpoints/checkpointFiles.ts';
import type { TrainerEnvironment } from '../../../engine/trainer/environment.ts';
import { Linear, Sequential, Tanh } from '../../../engine/trainer/model/layers/index.ts';
import type { Module } from '../../../engine/trainer/model/module.ts';
import { manualSeed } from '../../../engine/trainer/model/randomness.ts';
import { Trainer, type TrainerOptions } from '../../../engine/trainer/trainer.ts';

export interface Pair {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
}

/** A small regression trainer that writes down which hooks ran. */
export class RegressionTrainer extends Trainer<Pair> {
  readonly events: string[] = [];
  readonly losses: number[] = [];
  failAt: string | undefined;

  training_step(batch: Pair, batch_idx: number): tf.Tensor {
    this.#note(`training_step ${batch_idx}`);
    const loss = this.loss_fn.call(this.model.call(batch.x), batch.y);
    this.losses.push(loss.dataSync()[0] ?? Number.NaN);
    return loss;
  }

  validation_step(batch: Pair, batch_idx: number): void {
    this.#note(`validation_step ${batch_idx}`);
    this.accumulate({ loss: this.loss_fn.call(this.model.call(batch.x), batch.y) });
  }

  override on_train_start(): void {
    this.#note('on_train_start');
  }

  override on_train_end(): void {
    this.#note('on_train_end');
  }

  override on_train_epoch_start(): void {
    this.#note('on_train_epoch_start');
  }

  override on_train_epoch_end(): void {
    this.#note('on_train_epoch_end');
  }

  override on_validation_start(): void {
    this.#note('on_validation_start');
  }

  override on_validation_end(): void {
    this.#note('on_validation_end');
  }

  #note(event: string): void {
    this.events.push(event);
    if (event === this.failAt) throw new TypeError('a mistake in the project');
  }
}

/** y = sum of x, plus a little structure that a linear model cannot learn at once. */
export function samples(count: number): { x: Float32Array; y: Float32Array }[] {
  return Array.from({ length: count }, (_, i) => {
    const x = Float32Array.of(Math.sin(i), Math.cos(i * 1.7), Math.sin(i * 0.3 + 1));
    return { x, y: Float32Array.of((x[0] ?? 0) + 2 * (x[1] ?? 0) * (x[2] ?? 0)) };
  });
}

export function smallModel(seed = 1): Module {
  manualSeed(seed);
  return new Sequential(
    new Linear({ in_features: 3, out_features: 5 }),
    new Tanh(),
    new Linear({ in_features: 5, out_features: 1 }),
  );
}

export interface Recording {
  readonly reporter: Reporter;
  readonly reports: WorkerReport[];
  points(key: string): { step: number; value: number }[];
  texts(): string[];
}

export function record(): Recording {
  const reports: WorkerReport[] = [];
  return {
    reports,
    reporter: { report: (report) => void reports.push(report), flush: () => Promise.resolve() },
    points: (key) =>
      reports.flatMap((report) =>
        report.type === 'metrics'
          ? report.points.filter((point) => point.key === key).map(({ step, value }) => ({ step, value }))
          : [],
      ),
    texts: () => reports.flatMap((report) => (report.type === 'log' ? [report.text] : [])),
  };
}

/** Checkpoints in memory, as copies that survive the tensors they were made of. */
export class MemoryFiles implements CheckpointFiles {
  readonly folders = new Map<
    string,
    { content: CheckpointContent; step: number; metrics: Readonly<Record<string, number>> }
  >();
  readonly removed: string[] = [];
  failOn: string | undefined;

  async write(...[folder, content, label]: Parameters<CheckpointFiles['write']>): Promise<number> {
    if (this.failOn !== undefined && folder.endsWith(this.failOn)) throw new Error('no space left on device');
    this.folders.get(folder)?.content.model.forEach((tensor) => void tensor.dispose());
    const copy = {
      model: copied(content.model),
      optimizer: copied(content.optimizer),
      ema: copied(content.ema),
      state: structuredClone(content.state),
    };
    this.folders.set(folder, { content: copy, step: label.step, metrics: label.metrics });
    return 1;
  }

  async read(folder: string): Promise<CheckpointContent> {
    const found = this.folders.get(folder);
    if (found === undefined) throw new Error(`no checkpoint ${folder}`);
    const { content } = found;
    return {
      model: copied(content.model),
      optimizer: copied(content.optimizer),
      ema: copied(content.ema),
      state: structuredClone(content.state),
    };
  }

  async latest(): Promise<string | undefined> {
    return [...this.folders].sort(([, a], [, b]) => a.step - b.step).at(-1)?.[0];
  }

  refuseForeign(): Promise<void> {
    return Promise.resolve();
  }

  async prune(
    { checkpoint_dir: parent }: CheckpointPlace,
    keep: number | null,
    safe: string,
  ): Promise<readonly string[]> {
    const entries = [...this.folders].flatMap(([folder, { step }]) => {
      const kind = /\/(epoch|step)_\d+$/.exec(folder)?.[1];
      if (!folder.startsWith(`${parent}/`) || (kind !== 'epoch' && kind !== 'step')) return [];
      return [{ folder, path: folder, kind, step, epoch: 0, metrics: {}, time: 0, bytes: 0 } as const];
    });
    const pruned = planPruning(entries, keep, safe).map((entry) => entry.folder);
    for (const folder of pruned) this.folders.delete(folder);
    this.removed.push(...pruned);
    return pruned;
  }

  async metricsOf(folder: string): Promise<Readonly<Record<string, number>> | undefined> {
    return this.folders.get(folder)?.metrics;
  }

  async promoteBest(): Promise<undefined> {
    return undefined;
  }

  async setLaterAside(): Promise<SetAside> {
    return { folder: undefined, moved: [] };
  }

  get names(): string[] {
    return [...this.folders.keys()].map((folder) => folder.replace(/^.*?run\//, '')).sort();
  }
}

function copied(tensors: ReadonlyMap<string, tf.Tensor>): Map<string, tf.Tensor> {
  return new Map(
    [...tensors].map(([name, tensor]) => [name, tf.tensor(tensor.dataSync().slice(), tensor.shape, tensor.dtype)]),
  );
}

/** Collectives of trainers that run side by side in one process. */
export function memoryCollectives(worldSize: number): Collective[] {
  const rounds: { values: unknown[]; resolve: (() => void)[] }[] = [];
  const meet = async (rank: number, counters: number[], value: unknown): Promise<unknown[]> => {
    const number = counters[rank] ?? 0;
    counters[rank] = number + 1;
    rounds[number] ??= { values: [], resolve: [] };
    const round = rounds[number];
    round.values[rank] = value;
    await new Promise<void>((resolve) => {
      round.resolve.push(resolve);
      if (round.resolve.length === worldSize) for (const go of round.resolve) go();
    });
    return round.values;
  };
  const counters = Array.from({ length: worldSize }, () => 0);
  return counters.map(
    (_, rank): Collective => ({
      rank,
      worldSize,
      async allReduce(values, operation) {
        const all = await meet(rank, counters, values.slice());
        values.fill(0);
        for (const other of all)
          for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) + ((other as Float32Array)[i] ?? 0);
        if (operation === 'mean') for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) / worldSize;
      },
      async broadcast(values) {
        const all = await meet(rank, counters, values.slice());
        values.set(all[0] as Float32Array);
      },
      async allGather<T>(value: T): Promise<T[]> {
        return (await meet(rank, counters, structuredClone(value))) as T[];
      },
      async barrier() {
        await meet(rank, counters, null);
      },
    }),
  );
}

export interface Setup {
  readonly trainer: RegressionTrainer;
  readonly files: MemoryFiles;
  readonly recording: Recording;
}

export interface SetupOptions {
  readonly options?: Partial<TrainerOptions>;
  readonly environment?: Partial<TrainerEnvironment>;
  readonly files?: MemoryFiles;
  readonly batchSize?: number;
  readonly count?: number;
  readonly shuffle?: boolean;
  readonly validation?: boolean;
  readonly lr?: number;
}

/** A regression trainer ready to fit. */
export function setUp(setup: SetupOptions = {}): Setup {
  const { batchSize = 4, count = 16, shuffle = false, validation = true } = setup;
  const files = setup.files ?? new MemoryFiles();
  const recording = record();
  const model = setup.options?.model ?? smallModel();
  const optimizer = new SGD(model.namedParameters(), { lr: setup.lr ?? 0.05, momentum: 0.9 });
  const dataset = new ListDataset({ samples: samples(count) });
  const trainer = new RegressionTrainer({
    project_dir: '/run',
    epochs: 2,
    loss_fn: new MSELoss(),
    train_dataloader: new DataLoader({ dataset, batch_size: batchSize, shuffle }),
    val_dataloader: validation ? new DataLoader({ dataset, batch_size: batchSize }) : null,
    optimizer,
    ...setup.options,
    model: model as Module,
  });
  trainer.storeCheckpointsIn(files).attach({
    collective: memoryCollectives(1)[0] as Collective,
    reporter: recording.reporter,
    stop: { requested: false },
    clock: { now: () => performance.now() },
    seed: 7,
    ...setup.environment,
  });
  return { trainer, files, recording };
}

export async function weightsOf(model: Pick<Module, 'namedParameters'>): Promise<number[]> {
  const all: number[] = [];
  for (const { variable } of model.namedParameters()) all.push(...(await variable.data()));
  return all;
}

export function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
  expect(worst).toBeLessThanOrEqual(tolerance);
}
