import { EngineError } from '../api/errors.ts';
import { checkOptions, requireWhole, shownValue } from '../data/options.ts';
import type { WeightAverageOptions } from '../optim/index.ts';

/** Averaged weights (exponential moving average). */
export interface EmaOptions {
  /** Share of the old average that each optimizer step keeps, above 0 and below 1. */
  readonly decay?: number;
  /** Begin with a small decay that rises to `decay`: min(decay, (1 + n) / (10 + n)). */
  readonly warmup?: boolean;
  /** Whether validation sees the averaged weights; true unless said otherwise. */
  readonly validate?: boolean;
}

export interface EmaSettings extends WeightAverageOptions {
  readonly validate: boolean;
}

/** Whether steps run as one TensorFlow graph: where possible, always (or fail), never. */
export type CompileMode = 'auto' | boolean;

/** What to do about an optimizer step that would harm: not finite, or after a loss that jumped. */
export type StepPolicy = 'continue' | 'skip' | 'stop' | 'rollback';

/** When a training loss counts as a spike. One number is read back from the device at each optimizer step. */
export interface LossSpikeOptions {
  /** `continue` only warns. */
  readonly policy?: StepPolicy;
  /** A loss above median + threshold · 1.4826 · MAD of the recent ones is a spike (a robust z-score). */
  readonly threshold?: number;
  /** How many recent losses are looked at. */
  readonly window?: number;
  /** Fewer recent losses than this judge nothing. */
  readonly min_history?: number;
}

export interface LossSpikeSettings {
  readonly policy: StepPolicy;
  readonly threshold: number;
  readonly window: number;
  readonly min_history: number;
}

/** Watch for tensors and memory that are never freed. */
export interface LeakGuardOptions {
  /** Steps between two looks; growth must last five windows to be told. */
  readonly window?: number;
  /** Warn when the process holds more than this many MiB; null: no limit. */
  readonly max_rss_mb?: number | null;
  /** After a leak was found or max_rss_mb passed, a new process goes on from the next checkpoint. */
  readonly recycle_worker_at_checkpoint?: boolean;
}

export interface LeakGuardSettings {
  readonly window: number;
  readonly max_rss_mb: number | null;
  readonly recycle_worker_at_checkpoint: boolean;
}

export const stepPolicies = ['continue', 'skip', 'stop', 'rollback'] as const;

/** `ema` and its short form `ema_decay`; null when weights are not averaged. Throws `trainer.option`. */
export function readEma(
  owner: string,
  section: EmaOptions | null | undefined,
  decay: number | null | undefined,
): EmaSettings | null {
  if (section == null && decay == null) return null;
  const options = readSection(owner, 'ema', section ?? {}, ['decay', 'warmup', 'validate']);
  if (decay != null && options.decay !== undefined && options.decay !== decay) {
    throw refused(owner, 'ema_decay', `is ${decay} and ema.decay ${options.decay}; write one of them`, decay);
  }
  const value = options.decay ?? decay ?? 0.999;
  if (!(typeof value === 'number' && value > 0 && value < 1)) {
    const key = options.decay === undefined ? 'ema_decay' : 'ema.decay';
    throw refused(owner, key, `must be above 0 and below 1, such as 0.999; it is ${shownValue(value)}`, value);
  }
  return {
    decay: value,
    warmup: readFlag(owner, 'ema.warmup', options.warmup, false),
    validate: readFlag(owner, 'ema.validate', options.validate, true),
  };
}

/** Throws `trainer.option`. */
export function readLossSpike(owner: string, section: LossSpikeOptions | null | undefined): LossSpikeSettings | null {
  if (section == null) return null;
  const options = readSection(owner, 'loss_spike', section, ['policy', 'threshold', 'window', 'min_history']);
  const { policy = 'continue', threshold = 6 } = options;
  if (!stepPolicies.includes(policy)) {
    throw refused(owner, 'loss_spike.policy', `must be ${stepPolicies.join(', ')}; it is ${shownValue(policy)}`);
  }
  if (!(typeof threshold === 'number' && threshold > 0)) {
    throw refused(owner, 'loss_spike.threshold', `must be above 0; it is ${shownValue(threshold)}`, threshold);
  }
  const window = requireWhole(owner, 'loss_spike.window', options.window ?? 100, 5);
  const history = requireWhole(owner, 'loss_spike.min_history', options.min_history ?? Math.min(20, window), 3);
  if (history > window) {
    throw refused(owner, 'loss_spike.min_history', `is ${history}, more than the window of ${window} losses`, history);
  }
  return { policy, threshold, window, min_history: history };
}

/** On unless it is null or false. Throws `trainer.option`. */
export function readLeakGuard(
  owner: string,
  section: LeakGuardOptions | boolean | null | undefined,
): LeakGuardSettings | null {
  if (section === null || section === false) return null;
  const known = ['window', 'max_rss_mb', 'recycle_worker_at_checkpoint'] as const;
  const options = section === undefined || section === true ? {} : readSection(owner, 'leak_guard', section, known);
  const { max_rss_mb: limit = null } = options;
  if (limit !== null && !(typeof limit === 'number' && limit > 0)) {
    throw refused(
      owner,
      'leak_guard.max_rss_mb',
      `must be above 0, or null for no limit; it is ${shownValue(limit)}`,
      limit,
    );
  }
  return {
    window: requireWhole(owner, 'leak_guard.window', options.window ?? 100, 1),
    max_rss_mb: limit,
    recycle_worker_at_checkpoint: readFlag(
      owner,
      'leak_guard.recycle_worker_at_checkpoint',
      options.recycle_worker_at_checkpoint,
      false,
    ),
  };
}

/** A section of the trainer's as an object with known keys. Throws `trainer.option` or `options.unknown`. */
export function readSection<T extends object>(
  owner: string,
  key: string,
  section: T,
  known: readonly (keyof T & string)[],
): T {
  if (typeof section !== 'object' || Array.isArray(section)) {
    throw refused(owner, key, `must be a section with ${known.join(', ')}; it is ${shownValue(section)}`, section);
  }
  checkOptions(`${owner}.${key}`, section, known);
  return section;
}

/** Throws `trainer.option`. */
export function readCompiling(
  owner: string,
  mode: unknown,
  xla: unknown,
): { readonly compile: CompileMode; readonly compile_xla: boolean } {
  const compile = readCompile(owner, mode);
  const compile_xla = readFlag(owner, 'compile_xla', xla, false);
  if (compile === false && compile_xla)
    throw refused(
      owner,
      'compile_xla',
      'is true and compile is false: XLA compiles graphs, and there are none then. Set compile to auto, or leave compile_xla out',
      xla,
    );
  return { compile, compile_xla };
}

function readCompile(owner: string, value: unknown): CompileMode {
  if (value == null) return 'auto';
  if (value === 'auto' || typeof value === 'boolean') return value;
  throw refused(owner, 'compile', `must be auto, true or false; it is ${shownValue(value)}`, value);
}

export function readFlag(owner: string, key: string, value: unknown, fallback: boolean): boolean {
  if (value == null) return fallback;
  if (typeof value === 'boolean') return value;
  throw refused(owner, key, `must be true or false; it is ${shownValue(value)}`, value);
}

/** A folder's or a file's path; null where there is none. Throws `trainer.option`. */
export function readPath(owner: string, key: string, value: unknown): string | null {
  if (value == null) return null;
  if (typeof value === 'string' && value !== '') return value;
  throw refused(owner, key, `must be a path, or null; it is ${shownValue(value)}`, value);
}

/** Throws `trainer.option`. */
export function readLimit(owner: string, key: string, value: unknown, otherwise: string): number | null {
  if (value === null || (typeof value === 'number' && value > 0)) return value;
  throw refused(owner, key, `must be above zero, or null ${otherwise}; it is ${shownValue(value)}`, value);
}

/** `'key' must be …` as an error of the trainer's options. */
export function refused(owner: string, key: string, what: string, value?: unknown): EngineError {
  return new EngineError('trainer.option', `${owner}: '${key}' ${what}.`, { key, value });
}
