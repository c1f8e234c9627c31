import { join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { nearest } from '../base/nearest.ts';
import { requireWhole, shownValue } from '../data/options.ts';
import type { LoggingConfig } from './logging/loggingConfig.ts';
import type { MetricMonitor } from './monitor/metricMonitor.ts';
import { readLogging, readMonitor } from './settingObjects.ts';
import {
  type CompileMode,
  type EmaOptions,
  type EmaSettings,
  type LeakGuardOptions,
  type LeakGuardSettings,
  type LossSpikeOptions,
  type LossSpikeSettings,
  readCompiling,
  readEma,
  readFlag,
  readLeakGuard,
  readLimit,
  readLossSpike,
  readPath,
  type StepPolicy,
  stepPolicies,
} from './settingSections.ts';

export type LRSchedulerInterval = 'step' | 'epoch';

/** The trainer's keys in YAML, with AccelHydra's names and defaults. */
export interface TrainerSettingsOptions {
  readonly project_dir: string;
  /** `{project_dir}/checkpoints` when absent. */
  readonly checkpoint_dir?: string | null;
  readonly epochs: number;
  /** Steps of an epoch; the length of the training loader when absent. */
  readonly epoch_length?: number | null;
  readonly lr_scheduler_interval?: LRSchedulerInterval;
  readonly gradient_accumulation_steps?: number;
  /** null: the norm is measured, not clipped. */
  readonly max_grad_norm?: number | null;
  /** Every element of a gradient is limited to ± this, before its norm is (torch.nn.utils.clip_grad_value_). */
  readonly clip_grad_value?: number | null;
  readonly resume_from_checkpoint?: string | null;
  /** Go on from the newest checkpoint in project_dir, where there is one. AccelHydra spells it the second way. */
  readonly auto_resume_from_latest_ckpt?: boolean | null;
  readonly auto_reusme_from_latest_ckpt?: boolean | null;
  /** null: the training loss is not logged. */
  readonly log_every_n_steps?: number | null;
  readonly save_every_n_steps?: number | null;
  readonly permanent_save_every_n_steps?: number | null;
  readonly save_every_n_epochs?: number | null;
  /** How many epoch and step checkpoints are kept; null keeps all. */
  readonly save_last_k?: number | null;
  /** At the checkpoint of another run, where a branch begins: its weights, but fresh optimizer state. */
  readonly reset_optimizer?: boolean;
  /** Checkpoints hold no frozen parameters, which the model's constructor or load_pretrained must give again. */
  readonly save_trainable_only?: boolean;
  readonly metric_monitor?: MetricMonitor | null;
  /** Validations in a row without improvement after which training ends. */
  readonly early_stop?: number | null;
  /** At the end of training, early or not, put the weights of checkpoints/best back; on_train_end sees them. */
  readonly restore_best?: boolean;
  readonly even_batches?: boolean;
  /** Whether all ranks take rank 0's buffers before every step, as PyTorch's DDP; else before validations and checkpoints. */
  readonly broadcast_buffers?: boolean;
  readonly logging_config?: LoggingConfig | null;
  /**
   * What to do when a gradient is NaN or infinite: stop with an error, skip the optimizer step, roll back to the last
   * checkpoint and go on with other data, or continue. All but `continue` read one number back from the device at each
   * optimizer step. When it is not set, only a loss that is not finite at the first step is an error.
   */
  readonly nan_policy?: StepPolicy | null;
  readonly loss_spike?: LossSpikeOptions | null;
  /** How many roll-backs a run may make before it ends with an error. */
  readonly max_rollbacks?: number;
  /** Averaged weights: saved with checkpoints, used by validation and by inference. `ema_decay: 0.999` is the short form. */
  readonly ema?: EmaOptions | null;
  readonly ema_decay?: number | null;
  /** Watch for tensors and memory that are never freed; null or false does not. */
  readonly leak_guard?: LeakGuardOptions | boolean | null;
  /**
   * Whether training steps are recorded and run as one TensorFlow graph each: `auto` (default) where that is possible, saying why
   * where it is not; true makes that an error; false never.
   */
  readonly compile?: CompileMode | null;
  /** Whether XLA compiles the graphs of steps, where the TensorFlow found has it. Default false: on a CPU it is slower. */
  readonly compile_xla?: boolean | null;
}

export interface TrainerSettings {
  readonly project_dir: string;
  readonly checkpoint_dir: string;
  readonly epochs: number;
  readonly epoch_length: number | null;
  readonly lr_scheduler_interval: LRSchedulerInterval;
  readonly gradient_accumulation_steps: number;
  readonly max_grad_norm: number | null;
  readonly clip_grad_value: number | null;
  readonly resume_from_checkpoint: string | null;
  readonly auto_resume_from_latest_ckpt: boolean;
  readonly log_every_n_steps: number | null;
  readonly save_every_n_steps: number | null;
  readonly permanent_save_every_n_steps: number | null;
  readonly save_every_n_epochs: number | null;
  readonly save_last_k: number | null;
  readonly reset_optimizer: boolean;
  readonly save_trainable_only: boolean;
  readonly metric_monitor: MetricMonitor | null;
  readonly early_stop: number | null;
  readonly restore_best: boolean;
  readonly even_batches: boolean;
  readonly broadcast_buffers: boolean;
  readonly logging_config: LoggingConfig | null;
  /** null: not set. */
  readonly nan_policy: StepPolicy | null;
  readonly loss_spike: LossSpikeSettings | null;
  readonly max_rollbacks: number;
  readonly ema: EmaSettings | null;
  readonly leak_guard: LeakGuardSettings | null;
  readonly compile: CompileMode;
  readonly compile_xla: boolean;
}

/** What is built for a trainer to work with. */
export const trainerParts = ['model', 'optimizer', 'lr_scheduler', 'loss_fn', 'train_dataloader', 'val_dataloader'];

/** Every key that Trainer itself takes, the objects built around it included. */
export const trainerKeys: readonly string[] = [
  'project_dir',
  'checkpoint_dir',
  'epochs',
  'epoch_length',
  'lr_scheduler_interval',
  'gradient_accumulation_steps',
  'max_grad_norm',
  'clip_grad_value',
  'resume_from_checkpoint',
  'log_every_n_steps',
  'save_every_n_steps',
  'permanent_save_every_n_steps',
  'save_every_n_epochs',
  'save_last_k',
  'reset_optimizer',
  'save_trainable_only',
  'metric_monitor',
  'early_stop',
  'restore_best',
  'even_batches',
  'broadcast_buffers',
  'logging_config',
  'nan_policy',
  'loss_spike',
  'max_rollbacks',
  'ema',
  'ema_decay',
  'leak_guard',
  'compile',
  'compile_xla',
  'resume_from_config',
  'auto_resume_from_latest_ckpt',
  'auto_reusme_from_latest_ckpt',
  ...trainerParts,
];

/** Fills in the defaults. Throws `trainer.option` naming the key, its value and what is possible. */
export function readSettings(owner: string, options: TrainerSettingsOptions): TrainerSettings {
  if (typeof options.project_dir !== 'string' || options.project_dir === '') {
    throw new EngineError(
      'trainer.option',
      `${owner}: 'project_dir' is missing; it is where checkpoints go, usually \${exp_dir}.`,
      {
        key: 'project_dir',
      },
    );
  }
  const counts = (key: keyof TrainerSettingsOptions, fallback: number | null): number | null => {
    const value = options[key] === undefined ? fallback : options[key];
    // 0 means never, as it does in AccelHydra
    return value === null || value === 0 ? null : requireWhole(owner, key, value, 1);
  };
  return {
    project_dir: options.project_dir,
    checkpoint_dir:
      readPath(owner, 'checkpoint_dir', options.checkpoint_dir) ?? join(options.project_dir, 'checkpoints'),
    epochs: requireWhole(owner, 'epochs', options.epochs, 0),
    epoch_length: counts('epoch_length', null),
    lr_scheduler_interval: oneOf(owner, 'lr_scheduler_interval', options.lr_scheduler_interval, ['step', 'epoch']),
    gradient_accumulation_steps: requireWhole(
      owner,
      'gradient_accumulation_steps',
      options.gradient_accumulation_steps ?? 1,
      1,
    ),
    max_grad_norm: readLimit(
      owner,
      'max_grad_norm',
      options.max_grad_norm === undefined ? 2 : options.max_grad_norm,
      'to measure without clipping',
    ),
    clip_grad_value: readLimit(owner, 'clip_grad_value', options.clip_grad_value ?? null, 'for no limit'),
    resume_from_checkpoint: readPath(owner, 'resume_from_checkpoint', options.resume_from_checkpoint),
    auto_resume_from_latest_ckpt: readFlag(
      owner,
      'auto_resume_from_latest_ckpt',
      options.auto_resume_from_latest_ckpt ?? options.auto_reusme_from_latest_ckpt,
      false,
    ),
    log_every_n_steps: counts('log_every_n_steps', 50),
    save_every_n_steps: counts('save_every_n_steps', null),
    permanent_save_every_n_steps: counts('permanent_save_every_n_steps', null),
    save_every_n_epochs: counts('save_every_n_epochs', 1),
    save_last_k: counts('save_last_k', 1),
    reset_optimizer: readFlag(owner, 'reset_optimizer', options.reset_optimizer, false),
    save_trainable_only: readFlag(owner, 'save_trainable_only', options.save_trainable_only, false),
    metric_monitor: readMonitor(owner, options.metric_monitor),
    early_stop: counts('early_stop', null),
    restore_best: readFlag(owner, 'restore_best', options.restore_best, false),
    even_batches: readFlag(owner, 'even_batches', options.even_batches, true),
    broadcast_buffers: readFlag(owner, 'broadcast_buffers', options.broadcast_buffers, false),
    logging_config: readLogging(owner, options.logging_config),
    nan_policy: options.nan_policy == null ? null : oneOf(owner, 'nan_policy', options.nan_policy, stepPolicies),
    loss_spike: readLossSpike(owner, options.loss_spike),
    max_rollbacks: requireWhole(owner, 'max_rollbacks', options.max_rollbacks ?? 3, 0),
    ema: readEma(owner, options.ema, options.ema_decay),
    leak_guard: readLeakGuard(owner, options.leak_guard),
    ...readCompiling(owner, options.compile, options.compile_xla),
  };
}

/** Refuses a key that looks like a slip of the pen; others may be a subclass's own. */
export function checkTrainerKeys(owner: string, options: object, own: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (trainerKeys.includes(key) || own.includes(key)) continue;
    const meant = nearest(key, trainerKeys);
    if (meant === undefined) continue;
    throw new EngineError(
      'trainer.option',
      `${owner} has an option '${key}'. Did you mean '${meant}'? If it is ${owner}'s own, list it: static override readonly options = ['${key}'].`,
      { key, nearest: meant },
    );
  }
}

const hookNames = [
  'on_train_start',
  'on_train_end',
  'on_train_epoch_start',
  'on_train_epoch_end',
  'on_validation_start',
  'on_validation_end',
  'training_step',
  'validation_step',
  'get_val_metrics',
] as const;

/** Refuses a subclass's method whose name is nearly a hook's: it would never be called. Throws `trainer.hook-name`. */
export function checkHookNames(trainer: object, base: object): void {
  for (let it = Object.getPrototypeOf(trainer); it !== null && it !== base; it = Object.getPrototypeOf(it)) {
    for (const name of Object.getOwnPropertyNames(it)) {
      if (hookNames.some((hook) => hook === name) || !/^(on_|train|valid|get_val)/.test(name)) continue;
      const meant = nearest(name, hookNames);
      if (meant === undefined) continue;
      const owner = trainer.constructor.name;
      throw new EngineError(
        'trainer.hook-name',
        `${owner} has a method '${name}', which is no hook. Did you mean '${meant}'?`,
        { name, nearest: meant },
      );
    }
  }
}

function oneOf<T extends string>(owner: string, key: string, value: T | undefined, possible: readonly [T, ...T[]]): T {
  if (value === undefined) return possible[0];
  if (possible.includes(value)) return value;
  throw new EngineError(
    'trainer.option',
    `${owner}: '${key}' must be ${possible.join(' or ')}, not ${shownValue(value)}.`,
    {
      key,
      value,
    },
  );
}
