import { refuseOptions } from '../options.ts';
import type { RateFunction } from './lambda.ts';

/**
 * The factors of transformers' schedules (transformers.optimization, 5.x) as functions of the step. `warmup` and `total`
 * count scheduler steps.
 */
export interface WarmupCounts {
  readonly warmup: number;
  readonly total: number;
}

function rising(step: number, warmup: number): number {
  return step / Math.max(1, warmup);
}

function progressAfter(step: number, { warmup, total }: WarmupCounts): number {
  return (step - warmup) / Math.max(1, total - warmup);
}

export function constantFactor(): RateFunction {
  return () => 1;
}

export function constantWithWarmupFactor(warmup: number): RateFunction {
  return (step) => (step < warmup ? rising(step, warmup) : 1);
}

export function linearFactor(counts: WarmupCounts): RateFunction {
  const { warmup, total } = counts;
  return (step) => (step < warmup ? rising(step, warmup) : Math.max(0, (total - step) / Math.max(1, total - warmup)));
}

/** Also `cosine_with_min_lr`, where `floor` is the lowest factor. */
export function cosineFactor(counts: WarmupCounts, cycles: number, floor = 0): RateFunction {
  return (step) => {
    if (step < counts.warmup) return rising(step, counts.warmup);
    const height = 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progressAfter(step, counts)));
    return Math.max(0, height * (1 - floor) + floor);
  };
}

export function cosineWithRestartsFactor(counts: WarmupCounts, cycles: number): RateFunction {
  return (step) => {
    if (step < counts.warmup) return rising(step, counts.warmup);
    const progress = progressAfter(step, counts);
    if (progress >= 1) return 0;
    return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * ((cycles * progress) % 1))));
  };
}

/** `cosine_warmup_with_min_lr`: a warm-up that starts above 0 and a cosine shifted by one step. */
export function cosineWarmupFactor(
  counts: WarmupCounts,
  cycles: number,
  floor: number,
  warmupFloor: number | undefined,
): RateFunction {
  const { warmup, total } = counts;
  return (step) => {
    if (step < warmup) {
      if (warmupFloor === undefined) return (step + 1) / Math.max(1, warmup);
      return warmupFloor + ((1 - warmupFloor) * step) / Math.max(1, warmup - 1);
    }
    const progress = (step - warmup + 1) / Math.max(1, total - warmup);
    const height = 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress));
    return Math.max(0, height * (1 - floor) + floor);
  };
}

export function polynomialFactor(counts: WarmupCounts, initial: number, end: number, power: number): RateFunction {
  const { warmup, total } = counts;
  return (step) => {
    if (step < warmup) return rising(step, warmup);
    if (step > total) return end / initial;
    const remaining = total === warmup ? 0 : 1 - (step - warmup) / (total - warmup);
    return ((initial - end) * remaining ** power + end) / initial;
  };
}

export function inverseSqrtFactor(warmup: number, timescale: number): RateFunction {
  const shift = timescale - warmup;
  return (step) => (step < warmup ? rising(step, warmup) : 1 / Math.sqrt((step + shift) / timescale));
}

export interface StableDecay {
  readonly warmup: number;
  readonly stable: number;
  readonly decay: number;
  readonly warmupType: DecayShape;
  readonly decayType: DecayShape;
  readonly floor: number;
  readonly cycles: number;
}
export type DecayShape = 'linear' | 'cosine' | '1-sqrt';

/** `warmup_stable_decay`: up, level, down, then level at the floor. */
export function stableDecayFactor(options: StableDecay): RateFunction {
  const { warmup, stable, decay, floor, cycles } = options;
  const lifted = (factor: number) => Math.max(0, factor * (1 - floor) + floor);
  return (step) => {
    if (step < warmup) return lifted(riseShape(options.warmupType, rising(step, warmup)));
    if (step < warmup + stable) return 1;
    if (step >= warmup + stable + decay) return floor;
    return lifted(fallShape(options.decayType, (step - warmup - stable) / Math.max(1, decay), cycles));
  };
}

function riseShape(shape: DecayShape, progress: number): number {
  if (shape === 'linear') return progress;
  return shape === 'cosine' ? 0.5 * (1 - Math.cos(Math.PI * progress)) : 1 - Math.sqrt(1 - progress);
}

function fallShape(shape: DecayShape, progress: number, cycles: number): number {
  if (shape === 'linear') return 1 - progress;
  return shape === 'cosine' ? 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress)) : 1 - Math.sqrt(progress);
}

/** The lowest factor from `min_lr` or `min_lr_rate`, exactly one of which must be given. */
export function floorFactor(
  initial: number,
  options: { readonly min_lr?: number | null | undefined; readonly min_lr_rate?: number | null | undefined },
  target: string,
): number {
  const { min_lr: rate, min_lr_rate: factor } = options;
  if (typeof rate === 'number' && typeof factor === 'number') {
    refuseOptions(target, 'only one of min_lr and min_lr_rate may be set.', { option: 'min_lr' });
  }
  if (typeof rate === 'number') return rate / initial;
  if (typeof factor === 'number') return factor;
  return refuseOptions(target, 'one of min_lr and min_lr_rate must be set.', { option: 'min_lr' });
}
