import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { parseOptions, refuseOptions } from '../options.ts';
import {
  type LearningRateScheduler,
  LRScheduler,
  numberIn,
  type SchedulableOptimizer,
  type SchedulerFactory,
  type SchedulerState,
} from './scheduler.ts';
import { lastEpoch } from './schemas.ts';

type SchedulerPart = LRScheduler | SequentialLR | ChainedScheduler;

const parts = z
  .array(
    z.custom<SchedulerPart | SchedulerFactory>(
      (value) =>
        value instanceof LRScheduler ||
        value instanceof SequentialLR ||
        value instanceof ChainedScheduler ||
        typeof value === 'function',
      'it must be a scheduler that follows a step counter, or a _partial_ one',
    ),
  )
  .min(1);

function build(
  optimizer: SchedulableOptimizer,
  given: readonly (SchedulerPart | SchedulerFactory)[],
  target: string,
): readonly SchedulerPart[] {
  return given.map((part, index) => {
    const scheduler = typeof part === 'function' ? part(optimizer) : part;
    if (scheduler.optimizer !== optimizer) {
      refuseOptions(target, `schedulers[${index}] belongs to another optimizer.`, { option: 'schedulers', index });
    }
    return scheduler;
  });
}

const sequentialSchema = z.object({
  schedulers: parts.describe('schedulers one after the other; in a config each with _partial_: true'),
  milestones: z.array(z.number().int()).describe('steps at which the next scheduler takes over'),
  last_epoch: lastEpoch,
});

/** One scheduler after the other, each starting from its own beginning at its milestone. */
export class SequentialLR implements LearningRateScheduler {
  static readonly optionsSchema = sequentialSchema;
  readonly optimizer: SchedulableOptimizer;
  lastEpoch: number;
  readonly #schedulers: readonly SchedulerPart[];
  readonly #milestones: readonly number[];

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof sequentialSchema>) {
    const target = 'accelhydra.lr_scheduler.SequentialLR';
    const parsed = parseOptions(sequentialSchema, options, target);
    const { schedulers, milestones } = parsed;
    if (milestones.length !== schedulers.length - 1) {
      refuseOptions(
        target,
        `${schedulers.length} schedulers need ${schedulers.length - 1} milestones, not ${milestones.length}.`,
        { option: 'milestones' },
      );
    }
    this.optimizer = optimizer;
    this.#schedulers = build(optimizer, schedulers, target);
    this.#milestones = milestones;
    this.lastEpoch = parsed.last_epoch + 1;
    // Each scheduler has already set its own first rates: take that back, then start the one that is meant to be first.
    for (const group of optimizer.paramGroups) group.lr = group.initial_lr ?? group.lr;
    this.rewind();
    this.#partAt(0).start();
  }

  start(): void {
    this.#partAt(this.lastEpoch).start();
  }

  step(): void {
    this.lastEpoch++;
    const part = this.#partAt(this.lastEpoch);
    if (this.#milestones.includes(this.lastEpoch) && part !== this.#partAt(this.lastEpoch - 1)) part.jumpTo(0);
    else part.step();
  }

  jumpTo(epoch: number): void {
    this.lastEpoch = epoch;
    this.#partAt(epoch).jumpTo(epoch);
  }

  rewind(): void {
    for (const scheduler of this.#schedulers) scheduler.rewind();
  }

  getLastLr(): readonly number[] {
    return this.#partAt(this.lastEpoch).getLastLr();
  }

  stateDict(): SchedulerState {
    return { last_epoch: this.lastEpoch, schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  loadStateDict(state: SchedulerState): void {
    this.lastEpoch = numberIn(state, 'last_epoch');
    loadParts(this.#schedulers, state);
  }

  #partAt(step: number): SchedulerPart {
    const index = this.#milestones.filter((milestone) => milestone <= step).length;
    const part = this.#schedulers[index];
    if (part === undefined) throw new Error('Internal error: SequentialLR has no scheduler for this step');
    return part;
  }
}

const chainedSchema = z.object({
  schedulers: parts.describe('schedulers that all act at every step; in a config each with _partial_: true'),
});

/** All schedulers at every step, each on what the one before left. */
export class ChainedScheduler implements LearningRateScheduler {
  static readonly optionsSchema = chainedSchema;
  readonly optimizer: SchedulableOptimizer;
  readonly #schedulers: readonly SchedulerPart[];

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof chainedSchema>) {
    const target = 'accelhydra.lr_scheduler.ChainedScheduler';
    const { schedulers } = parseOptions(chainedSchema, options, target);
    this.optimizer = optimizer;
    this.#schedulers = build(optimizer, schedulers, target);
  }

  start(): void {
    for (const scheduler of this.#schedulers) scheduler.start();
  }

  step(): void {
    for (const scheduler of this.#schedulers) scheduler.step();
  }

  jumpTo(epoch: number): void {
    for (const scheduler of this.#schedulers) scheduler.jumpTo(epoch);
  }

  rewind(): void {
    for (const scheduler of this.#schedulers) scheduler.rewind();
  }

  getLastLr(): readonly number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  stateDict(): SchedulerState {
    return { schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  loadStateDict(state: SchedulerState): void {
    loadParts(this.#schedulers, state);
  }
}

function loadParts(schedulers: readonly SchedulerPart[], state: SchedulerState): void {
  const saved: unknown = state.schedulers;
  if (!Array.isArray(saved) || saved.length !== schedulers.length) {
    const found = Array.isArray(saved) ? saved.length : 0;
    throw new EngineError(
      'optim.scheduler.state',
      `The saved scheduler state has ${found} parts, the config ${schedulers.length}. Was lr_scheduler changed since the checkpoint?`,
      { saved: found, built: schedulers.length },
    );
  }
  for (const [index, scheduler] of schedulers.entries()) scheduler.loadStateDict(saved[index]);
}
