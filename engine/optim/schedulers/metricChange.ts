import { EngineError } from '../../api/errors.ts';

/** How a scheduler that follows a metric tells an improvement, with PyTorch's option names. */
export interface Improvement {
  readonly mode: 'min' | 'max';
  readonly threshold: number;
  readonly threshold_mode: 'rel' | 'abs';
}

/** Whether `metric` is better than `best` by more than the threshold (torch.optim.lr_scheduler.ReduceLROnPlateau). */
export function isImprovement(metric: number, best: number, options: Improvement): boolean {
  const { mode, threshold, threshold_mode: by } = options;
  if (mode === 'min') return metric < (by === 'rel' ? best * (1 - threshold) : best - threshold);
  return metric > (by === 'rel' ? best * (1 + threshold) : best + threshold);
}

/** What every metric is better than. */
export function worstMetric(mode: Improvement['mode']): number {
  return mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/** @throws EngineError `optim.scheduler.no-metric` when there is none */
export function requireMetric(metric: number | undefined, scheduler: string): number {
  if (metric !== undefined) return metric;
  throw new EngineError(
    'optim.scheduler.no-metric',
    `${scheduler} needs a metric at every step: set lr_scheduler_interval to epoch and give the metric monitor a metric that validation computes.`,
    {},
  );
}
