import type { PlanWarning } from '../../api/planModel.ts';
import { formatBytes } from '../../base/format.ts';
import { scheduleWarnings } from './scheduleWarnings.ts';
import { sourceMentions } from './sourceMentions.ts';
import type { WarningSource } from './warningSource.ts';

/** What of a plan looks like a mistake. Each says what follows and what to do. */
export function planWarnings(source: WarningSource): PlanWarning[] {
  return [
    ...lengthWarnings(source),
    ...scheduleWarnings(source),
    ...accumulationWarnings(source),
    ...dataWarnings(source),
    ...monitorWarnings(source),
    ...logWarnings(source),
    ...saveWarnings(source),
    ...diskWarnings(source),
  ];
}

function lengthWarnings({ plan }: WarningSource): PlanWarning[] {
  if (plan.totalSteps > 0) return [];
  return [{ code: 'no-steps', text: 'epochs is 0: nothing will be trained.' }];
}

function accumulationWarnings({ plan, unused }: WarningSource): PlanWarning[] {
  const { accumulation, passLength = Number.POSITIVE_INFINITY, totalSteps, optimizerSteps } = plan;
  if (totalSteps > 0 && optimizerSteps === 0) {
    return [
      {
        code: 'accumulation-never-completes',
        text: `gradient_accumulation_steps is ${accumulation}, but the whole training has ${totalSteps} ${totalSteps === 1 ? 'step' : 'steps'}: the optimizer never steps. Lower it, or train longer.`,
      },
    ];
  }
  const warnings: PlanWarning[] = [];
  if (accumulation > passLength) {
    warnings.push({
      code: 'accumulation-never-completes',
      text: `gradient_accumulation_steps is ${accumulation}, but a pass over the data has ${passLength} ${passLength === 1 ? 'step' : 'steps'} and ends the accumulation: every gradient is divided by ${accumulation} with only ${passLength} in it. Lower it to ${passLength}.`,
    });
  }
  if (unused > 0) {
    warnings.push({
      code: 'unused-gradients',
      text: `The last ${unused} ${unused === 1 ? 'step' : 'steps'} of the training never reach the optimizer: the accumulation of ${accumulation} is not full at the end. Choose epochs × epoch_length as a multiple of it.`,
    });
  }
  return warnings;
}

function dataWarnings({ plan, subject }: WarningSource): PlanWarning[] {
  const warnings: PlanWarning[] = [];
  for (const [name, loader] of [
    ['train_dataloader', subject.train_dataloader],
    ['val_dataloader', subject.val_dataloader],
  ] as const) {
    const samples = lengthOf(loader?.dataset);
    const batch = loader?.batch_size;
    if (samples === undefined || batch === undefined) continue;
    if (batch > samples) {
      warnings.push({
        code: 'batch-larger-than-data',
        text: `${name}.batch_size is ${batch}, but the dataset has ${samples} ${samples === 1 ? 'sample' : 'samples'}: every batch is the whole of it. Lower batch_size to at most ${samples}.`,
      });
    } else if (name === 'train_dataloader' && batch * plan.processes > samples) {
      warnings.push({
        code: 'batch-larger-than-data',
        text: `${plan.processes} processes with a batch of ${batch} each take ${batch * plan.processes} samples a step, but the dataset has ${samples}: some are seen twice in one step. Lower batch_size or num_processes.`,
      });
    }
  }
  return warnings;
}

function lengthOf(dataset: unknown): number | undefined {
  const length: unknown = typeof dataset === 'object' && dataset !== null ? Reflect.get(dataset, 'length') : undefined;
  return typeof length === 'number' && Number.isFinite(length) ? length : undefined;
}

function monitorWarnings({ subject, validates }: WarningSource): PlanWarning[] {
  const { metric_monitor: monitor, early_stop: patience, epochs } = subject.settings;
  if (monitor === null) {
    if (patience === null) return [];
    return [
      {
        code: 'monitor-not-computed',
        text: `early_stop is ${patience}, but there is no metric_monitor to judge by: training will not begin. Add one, or set early_stop: null.`,
      },
    ];
  }
  const name = monitor.metric_name;
  if (!validates) {
    const why = epochs === 0 ? 'epochs is 0' : 'there is no val_dataloader';
    return [
      {
        code: 'monitor-not-computed',
        text: `The metric monitor watches '${name}', which is never computed: ${why}. No best checkpoint will be saved.`,
      },
    ];
  }
  if (sourceMentions(subject, name)) return [];
  return [
    {
      code: 'monitor-not-computed',
      text: `The metric monitor watches '${name}', but the word stands nowhere in ${subject.constructor.name}: validation may not compute it, and training would fail at the end of the first epoch. Pass it to accumulate() or return it from get_val_metrics().`,
    },
  ];
}

function logWarnings({ plan, subject }: WarningSource): PlanWarning[] {
  const { log_every_n_steps: every } = subject.settings;
  if (plan.totalSteps === 0) return [];
  if (every === null) {
    return [
      {
        code: 'grad-norm-not-logged',
        text: 'log_every_n_steps is null: neither the training loss nor the gradient norm is logged.',
      },
    ];
  }
  if (plan.events.every(({ kind }) => kind !== 'grad-norm-log')) {
    return [{ code: 'grad-norm-not-logged', text: 'The gradient norm is never logged: the optimizer never steps.' }];
  }
  if (every < plan.totalSteps) return [];
  return [
    {
      code: 'log-never-again',
      text: `log_every_n_steps is ${every}, but the whole training has ${plan.totalSteps} steps: loss and gradient norm are logged once, at its beginning.`,
    },
  ];
}

function saveWarnings({ plan, subject, lastSave }: WarningSource): PlanWarning[] {
  const { totalSteps } = plan;
  if (totalSteps === 0) return [];
  const { save_every_n_steps, permanent_save_every_n_steps, save_every_n_epochs, epochs } = subject.settings;
  const warnings = Object.entries({ save_every_n_steps, permanent_save_every_n_steps }).flatMap(([key, every]) =>
    every !== null && every > totalSteps
      ? [neverHit(key, every, `${totalSteps} ${totalSteps === 1 ? 'step' : 'steps'}`)]
      : [],
  );
  if (save_every_n_epochs !== null && save_every_n_epochs > epochs) {
    warnings.push(
      neverHit('save_every_n_epochs', save_every_n_epochs, `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`),
    );
  }
  if (lastSave === 0) {
    warnings.push({
      code: 'nothing-saved',
      text: 'No epoch or step checkpoint will be written: the trained weights are lost at the end, unless they are the best. Set save_every_n_epochs or save_every_n_steps.',
    });
  } else if (lastSave < totalSteps) {
    warnings.push({
      code: 'end-not-saved',
      text: `The last checkpoint is written at step ${lastSave}: what the ${totalSteps - lastSave} steps after it train is in none, unless it is the best. Choose an interval that the end falls on.`,
    });
  }
  return warnings;
}

function neverHit(key: string, every: number, length: string): PlanWarning {
  return { code: 'save-never-hit', text: `${key} is ${every}, but the whole training has ${length}: it never saves.` };
}

function diskWarnings({ plan }: WarningSource): PlanWarning[] {
  const { peakBytes, freeBytes, folder } = plan.disk;
  if (freeBytes === undefined || peakBytes <= freeBytes) return [];
  return [
    {
      code: 'disk-too-small',
      text: `The checkpoints need up to ${formatBytes(peakBytes)}, but ${formatBytes(freeBytes)} are free where ${folder} will be. Lower save_last_k, save less often, or choose another project_dir.`,
    },
  ];
}
