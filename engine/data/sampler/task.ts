import { EngineError } from '../../api/errors.ts';
import { deriveSeed, Random } from '../../base/random.ts';
import type { TaskRange } from '../dataset/combine.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { listPlan } from './plans.ts';
import type { BatchPlan, BatchSampler, Sampler } from './sampler.ts';

export interface TaskSource {
  readonly tasks: readonly TaskRange[];
}

export interface TaskSamplerOptions {
  readonly data_source: TaskSource;
  readonly shuffle?: boolean;
  /** Turns of a task in each round, 1 where absent; a whole number of at least 1. */
  readonly task_sampling_weights?: Readonly<Record<string, number>> | null;
  readonly seed?: number | null;
}

/** The endless order of one task: pass after pass over its samples, each shuffled on its own. */
class TaskStream {
  readonly #range: TaskRange;
  readonly #seed: number | undefined;
  #round = -1;
  #order: Int32Array = new Int32Array(0);

  constructor(range: TaskRange, seed: number | undefined) {
    this.#range = range;
    this.#seed = seed;
  }

  at(position: number): number {
    const { length, start, task } = this.#range;
    const place = position % length;
    if (this.#seed === undefined) return start + place;
    const round = Math.floor(position / length);
    if (round !== this.#round) {
      this.#round = round;
      this.#order = new Random(deriveSeed(this.#seed, 'task', task), round).permutation(length);
    }
    return start + (this.#order[place] ?? 0);
  }
}

interface Turns {
  readonly order: readonly number[];
  /** Turns of the task in one round, and how many of them come before each turn. */
  readonly perRound: readonly number[];
  readonly before: readonly number[];
}

function takeTurns(
  owner: string,
  tasks: readonly TaskRange[],
  weights: TaskSamplerOptions['task_sampling_weights'],
): Turns {
  if (tasks === undefined || tasks.length === 0 || tasks.some((task) => task.length === 0)) {
    throw new EngineError(
      'data.sampler.tasks',
      `${owner} needs a dataset with 'tasks' (a ConcatDataset), none of them empty.`,
      {},
    );
  }
  for (const name of Object.keys(weights ?? {})) {
    if (!tasks.some((task) => task.task === name)) {
      throw new EngineError(
        'data.sampler.tasks',
        `${owner}: task_sampling_weights names '${name}'; the dataset has ${tasks.map((task) => task.task).join(', ')}.`,
        { name },
      );
    }
  }
  const order = tasks.map((_, i) => i);
  const perRound = tasks.map((task, i) => {
    const weight = requireWhole(owner, `task_sampling_weights.${task.task}`, weights?.[task.task] ?? 1, 1);
    for (let extra = 1; extra < weight; extra++) order.push(i);
    return weight;
  });
  const before = order.map((task, turn) => order.slice(0, turn).filter((other) => other === task).length);
  return { order, perRound, before };
}

/**
 * Tasks take turns, sample by sample (AccelHydra's TaskIteratingSampler). Endless in nature: a pass has as many samples
 * as the largest task, and the next pass goes on where this one ended.
 */
export class TaskIteratingSampler implements Sampler {
  readonly length: number;
  readonly #tasks: readonly TaskRange[];
  readonly #turns: Turns;
  readonly #shuffle: boolean;
  readonly #seed: number;

  constructor(options: TaskSamplerOptions) {
    checkOptions('TaskIteratingSampler', options, ['data_source', 'shuffle', 'task_sampling_weights', 'seed']);
    this.#tasks = options.data_source.tasks;
    this.#turns = takeTurns('TaskIteratingSampler', this.#tasks, options.task_sampling_weights);
    this.#shuffle = options.shuffle ?? true;
    this.#seed = options.seed ?? 0;
    this.length = Math.max(...this.#tasks.map((task) => task.length));
  }

  order(key: PassKey): ArrayLike<number> {
    const streams = makeStreams(this.#tasks, this.#shuffle, deriveSeed(key.seed, this.#seed));
    const { order, perRound, before } = this.#turns;
    return Int32Array.from({ length: this.length }, (_, i) => {
      const draw = key.pass * this.length + i;
      const turn = draw % order.length;
      const task = order[turn] ?? 0;
      return streams[task]?.at(Math.floor(draw / order.length) * (perRound[task] ?? 1) + (before[turn] ?? 0)) ?? 0;
    });
  }
}

export interface TaskBatchSamplerOptions extends TaskSamplerOptions {
  readonly batch_size: number;
  readonly drop_last?: boolean;
}

/** As TaskIteratingSampler, a whole batch at each turn: every batch comes from one task. */
export class TaskGroupedIteratingBatchSampler implements BatchSampler {
  readonly batch_size: number;
  readonly drop_last = true;
  readonly length: number;
  readonly #tasks: readonly TaskRange[];
  readonly #turns: Turns;
  readonly #shuffle: boolean;
  readonly #seed: number;

  constructor(options: TaskBatchSamplerOptions) {
    const owner = 'TaskGroupedIteratingBatchSampler';
    checkOptions(owner, options, [
      'data_source',
      'shuffle',
      'task_sampling_weights',
      'seed',
      'batch_size',
      'drop_last',
    ]);
    this.batch_size = requireWhole(owner, 'batch_size', options.batch_size, 1);
    this.#tasks = options.data_source.tasks;
    this.#turns = takeTurns(owner, this.#tasks, options.task_sampling_weights);
    this.#shuffle = options.shuffle ?? true;
    this.#seed = options.seed ?? 0;
    this.length = Math.max(1, Math.floor(Math.max(...this.#tasks.map((task) => task.length)) / this.batch_size));
  }

  plan(key: PassKey): BatchPlan {
    const streams = makeStreams(this.#tasks, this.#shuffle, deriveSeed(key.seed, this.#seed));
    const { order, perRound, before } = this.#turns;
    return {
      length: this.length,
      at: (index) => {
        const draw = key.pass * this.length + index;
        const turn = draw % order.length;
        const task = order[turn] ?? 0;
        const start = (Math.floor(draw / order.length) * (perRound[task] ?? 1) + (before[turn] ?? 0)) * this.batch_size;
        return Array.from({ length: this.batch_size }, (_, i) => streams[task]?.at(start + i) ?? 0);
      },
    };
  }
}

/** All batches of the first task, then of the second, …: for validation. */
export class TaskGroupedSequentialBatchSampler implements BatchSampler {
  readonly batch_size: number;
  readonly drop_last: boolean;
  readonly length: number;
  readonly #tasks: readonly TaskRange[];
  readonly #shuffle: boolean;
  readonly #seed: number;

  constructor(options: Omit<TaskBatchSamplerOptions, 'task_sampling_weights'>) {
    const owner = 'TaskGroupedSequentialBatchSampler';
    checkOptions(owner, options, ['data_source', 'shuffle', 'seed', 'batch_size', 'drop_last']);
    this.batch_size = requireWhole(owner, 'batch_size', options.batch_size, 1);
    this.drop_last = options.drop_last ?? false;
    this.#tasks = options.data_source.tasks;
    this.#shuffle = options.shuffle ?? true;
    this.#seed = options.seed ?? 0;
    takeTurns(owner, this.#tasks, null);
    this.length = this.plan({ seed: 0, pass: 0 }).length;
  }

  plan(key: PassKey): BatchPlan {
    const streams = makeStreams(this.#tasks, this.#shuffle, deriveSeed(key.seed, this.#seed));
    const batches: number[][] = [];
    this.#tasks.forEach((task, number) => {
      for (let start = 0; start < task.length; start += this.batch_size) {
        const size = Math.min(this.batch_size, task.length - start);
        if (size < this.batch_size && this.drop_last) break;
        batches.push(
          Array.from({ length: size }, (_, i) => streams[number]?.at(key.pass * task.length + start + i) ?? 0),
        );
      }
    });
    return listPlan(batches);
  }
}

function makeStreams(tasks: readonly TaskRange[], shuffle: boolean, seed: number): TaskStream[] {
  return tasks.map((task) => new TaskStream(task, shuffle ? seed : undefined));
}
