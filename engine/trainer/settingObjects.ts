import { LoggingConfig } from './logging/loggingConfig.ts';
import { MetricMonitor } from './monitor/metricMonitor.ts';
import type { OptimizerLike, SchedulerLike } from './ports.ts';
import { refused } from './settingSections.ts';

/** Objects that a config builds for the trainer: whether they are what they should be. All throw `trainer.option`. */

export function readMonitor(owner: string, value: unknown): MetricMonitor | null {
  if (value == null) return null;
  if (value instanceof MetricMonitor) return value;
  throw refused(owner, 'metric_monitor', 'must have _target_: accelhydra.trainer.MetricMonitor, or be null', value);
}

export function readLogging(owner: string, value: unknown): LoggingConfig | null {
  if (value == null) return null;
  if (value instanceof LoggingConfig) return value;
  throw refused(owner, 'logging_config', 'must have _target_: accelhydra.trainer.LoggingConfig, or be null', value);
}

export function readOptimizer(owner: string, value: unknown): OptimizerLike {
  if (hasMethods<OptimizerLike>(value, ['step', 'stateDict', 'loadStateDict']) && Array.isArray(value.paramGroups)) {
    return value;
  }
  const what = `must be an optimizer, such as torch.optim.AdamW: an object with step(), stateDict(), loadStateDict() and paramGroups; it is ${kindOf(value)}`;
  throw refused(owner, 'optimizer', what);
}

export function readScheduler(owner: string, value: unknown): SchedulerLike | null {
  if (value == null) return null;
  if (hasMethods<SchedulerLike>(value, ['step', 'getLastLr', 'stateDict', 'loadStateDict'])) return value;
  const what = `must be a schedule, such as torch.optim.lr_scheduler.CosineAnnealingLR: an object with step(), getLastLr(), stateDict() and loadStateDict(), or null; it is ${kindOf(value)}`;
  throw refused(owner, 'lr_scheduler', what);
}

function hasMethods<T extends object>(value: unknown, methods: readonly string[]): value is T {
  return (
    typeof value === 'object' &&
    value !== null &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return `${value}`;
  const name = value.constructor?.name ?? 'Object';
  return name === 'Object' ? 'a plain object (has the section a _target_?)' : `an object of class ${name}`;
}
