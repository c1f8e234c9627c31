import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { parseOptions, refuseOptions } from '../options.ts';
import { GreedyLR } from './greedy.ts';
import { LambdaLR, type RateFunction } from './lambda.ts';
import { ReduceLROnPlateau } from './plateau.ts';
import type { LearningRateScheduler, SchedulableOptimizer } from './scheduler.ts';
import {
  constantFactor,
  constantWithWarmupFactor,
  cosineFactor,
  cosineWarmupFactor,
  cosineWithRestartsFactor,
  floorFactor,
  inverseSqrtFactor,
  linearFactor,
  polynomialFactor,
  stableDecayFactor,
  type WarmupCounts,
} from './warmupFactors.ts';

export const scheduleNames = [
  'linear',
  'cosine',
  'cosine_with_restarts',
  'polynomial',
  'constant',
  'constant_with_warmup',
  'inverse_sqrt',
  'reduce_lr_on_plateau',
  'cosine_with_min_lr',
  'cosine_warmup_with_min_lr',
  'warmup_stable_decay',
  'greedy',
] as const;
export type ScheduleName = (typeof scheduleNames)[number];

const count = z.number().int().nonnegative();
const shape = z.enum(['linear', 'cosine', '1-sqrt']);

const schema = z.object({
  name: z.string().describe(`one of ${scheduleNames.join(', ')}`),
  num_warmup_steps: count.nullish().describe('steps in which the rate rises from 0'),
  num_training_steps: count.nullish().describe('steps in all'),
  scheduler_specific_kwargs: z.record(z.string(), z.unknown()).nullish().describe('options of the named schedule'),
});

const target = 'accelhydra.get_scheduler';

/** The options each schedule takes in `scheduler_specific_kwargs`. */
const specific = {
  linear: z.object({}),
  cosine: z.object({ num_cycles: z.number().default(0.5) }),
  cosine_with_restarts: z.object({ num_cycles: z.number().default(1) }),
  polynomial: z.object({ lr_end: z.number().default(1e-7), power: z.number().default(1) }),
  constant: z.object({}),
  constant_with_warmup: z.object({}),
  inverse_sqrt: z.object({ timescale: z.number().nullish() }),
  cosine_with_min_lr: z.object({
    num_cycles: z.number().default(0.5),
    min_lr: z.number().nullish(),
    min_lr_rate: z.number().nullish(),
  }),
  cosine_warmup_with_min_lr: z.object({
    num_cycles: z.number().default(0.5),
    min_lr: z.number().nullish(),
    min_lr_rate: z.number().nullish(),
    warmup_lr_rate: z.number().nullish(),
  }),
  warmup_stable_decay: z.object({
    num_decay_steps: count,
    num_stable_steps: count.nullish(),
    warmup_type: shape.default('linear'),
    decay_type: shape.default('cosine'),
    min_lr_ratio: z.number().default(0),
    num_cycles: z.number().default(0.5),
  }),
};

/**
 * A schedule by transformers' name. Options of the schedule stand in `scheduler_specific_kwargs` or, as a convenience,
 * beside `name`. Steps count what the trainer calls scheduler steps; its warm-up adapter fills both numbers.
 * @throws EngineError `optim.scheduler.unknown-name` | `optim.option.*`
 */
export function getScheduler(optimizer: SchedulableOptimizer, options: unknown): LearningRateScheduler {
  const { common, rest } = splitOptions(options);
  const parsed = parseOptions(schema, common, target);
  const name = knownName(parsed.name);
  const kwargs = { ...parsed.scheduler_specific_kwargs, ...rest };
  if (name === 'greedy') return new GreedyLR(optimizer, kwargs);
  if (name === 'reduce_lr_on_plateau') return new ReduceLROnPlateau(optimizer, kwargs);
  const counts = { warmup: parsed.num_warmup_steps ?? undefined, total: parsed.num_training_steps ?? undefined };
  const initial = optimizer.paramGroups[0]?.initial_lr ?? optimizer.paramGroups[0]?.lr ?? 0;
  return new LambdaLR(optimizer, { lr_lambda: factorOf(name, counts, kwargs, initial) });
}

// A factory that instantiation calls like a class; the adapter reads what it takes. Options of the named schedule may stand beside.
getScheduler.optionsSchema = schema.loose();

function splitOptions(options: unknown): { common: Record<string, unknown>; rest: Record<string, unknown> } {
  if (typeof options !== 'object' || options === null) {
    throw new EngineError('optim.option.invalid', `${target} needs { name: … }, one of ${scheduleNames.join(', ')}.`, {
      target,
    });
  }
  const entries = Object.entries(options);
  const isCommon = ([key]: [string, unknown]) => key in schema.shape;
  return {
    common: Object.fromEntries(entries.filter(isCommon)),
    rest: Object.fromEntries(entries.filter((entry) => !isCommon(entry))),
  };
}

function knownName(name: string): ScheduleName {
  const found = scheduleNames.find((known) => known === name);
  if (found !== undefined) return found;
  throw new EngineError(
    'optim.scheduler.unknown-name',
    `There is no schedule '${name}'.${didYouMean(name, scheduleNames)} Known: ${scheduleNames.join(', ')}.`,
    { name, known: scheduleNames },
  );
}

interface MaybeCounts {
  readonly warmup: number | undefined;
  readonly total: number | undefined;
}

function factorOf(
  name: Exclude<ScheduleName, 'reduce_lr_on_plateau' | 'greedy'>,
  counts: MaybeCounts,
  kwargs: Readonly<Record<string, unknown>>,
  initial: number,
): RateFunction {
  const where = `${target} '${name}'`;
  const options = <N extends keyof typeof specific>(key: N) => parseOptions(specific[key], kwargs, where);
  switch (name) {
    case 'constant':
      // transformers ignores everything else here.
      return constantFactor();
    case 'constant_with_warmup':
      options(name);
      return constantWithWarmupFactor(warmupOf(counts, where));
    case 'linear':
      options(name);
      return linearFactor(bothOf(counts, where));
    case 'cosine':
      return cosineFactor(bothOf(counts, where), options(name).num_cycles);
    case 'cosine_with_restarts':
      return cosineWithRestartsFactor(bothOf(counts, where), options(name).num_cycles);
    case 'polynomial': {
      const { lr_end: end, power } = options(name);
      if (initial <= end) refuseOptions(where, `lr_end (${end}) must be below the optimizer's lr (${initial}).`);
      return polynomialFactor(bothOf(counts, where), initial, end, power);
    }
    case 'inverse_sqrt': {
      const warmup = warmupOf(counts, where);
      return inverseSqrtFactor(warmup, options(name).timescale ?? (warmup || 10_000));
    }
    case 'cosine_with_min_lr': {
      const { num_cycles: cycles, ...floor } = options(name);
      return cosineFactor(bothOf(counts, where), cycles, floorFactor(initial, floor, where));
    }
    case 'cosine_warmup_with_min_lr': {
      const { num_cycles: cycles, warmup_lr_rate: start, ...floor } = options(name);
      return cosineWarmupFactor(bothOf(counts, where), cycles, floorFactor(initial, floor, where), start ?? undefined);
    }
    case 'warmup_stable_decay':
      return stableDecay(counts, options(name), where);
  }
}

function stableDecay(
  counts: MaybeCounts,
  options: z.output<(typeof specific)['warmup_stable_decay']>,
  where: string,
): RateFunction {
  const warmup = warmupOf(counts, where);
  const stable = options.num_stable_steps ?? bothOf(counts, where).total - warmup - options.num_decay_steps;
  return stableDecayFactor({
    warmup,
    stable,
    decay: options.num_decay_steps,
    warmupType: options.warmup_type,
    decayType: options.decay_type,
    floor: options.min_lr_ratio,
    cycles: options.num_cycles,
  });
}

function warmupOf(counts: MaybeCounts, where: string): number {
  return counts.warmup ?? refuseOptions(where, 'it needs num_warmup_steps. Set warmup_params, or the option itself.');
}

function bothOf(counts: MaybeCounts, where: string): WarmupCounts {
  const warmup = warmupOf(counts, where);
  const total = counts.total ?? refuseOptions(where, 'it needs num_training_steps; the trainer fills it in.');
  return { warmup, total };
}
