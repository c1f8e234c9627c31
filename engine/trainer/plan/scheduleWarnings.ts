import type { PlanWarning } from '../../api/planModel.ts';
import type { WarningSource } from './warningSource.ts';

/** Options that say how long a schedule is, and whether a shorter one than the training is a mistake. */
const lengthOptions = [
  { key: 'num_training_steps', mayBeShorter: false },
  { key: 'total_steps', mayBeShorter: false },
  // half a period of a cosine: beyond it the rate rises again
  { key: 'T_max', mayBeShorter: false },
  // a ramp at the beginning is what most of these are for
  { key: 'total_iters', mayBeShorter: true },
] as const;

/** Lengths that differ by less are rounding, not a mistake. */
const tolerance = 0.02;

/** Whether the schedule fits the training: it fails, ends early, or never reaches its end. */
export function scheduleWarnings({ plan, rates, scheduleOptions }: WarningSource): PlanWarning[] {
  const { schedule, totalSteps, warmup } = plan;
  if (schedule === undefined || totalSteps === 0) return [];
  const { failure } = rates;
  if (failure !== undefined) {
    const why = failure.error instanceof Error ? failure.error.message : String(failure.error);
    return [{ code: 'schedule-fails', text: `${schedule.name} fails at step ${failure.step}: ${why}` }];
  }
  if (schedule.steps === 0) {
    return [{ code: 'schedule-never-steps', text: `${schedule.name} never steps: the rate stays as it begins.` }];
  }
  if (warmup !== undefined && warmup.steps >= totalSteps) {
    return [
      {
        code: 'warmup-too-long',
        text: `The warm-up has ${warmup.steps} steps, the whole training ${totalSteps}: the rate never reaches its value. Shorten it in warmup_params or lr_scheduler.num_warmup_steps.`,
      },
    ];
  }
  // a schedule that follows a metric has no length, though the trainer fills one in where it may be given
  const lengths = schedule.followsMetric ? [] : lengthWarnings(schedule, scheduleOptions);
  return [...lengths, ...zeroWarnings(plan.optimizerSteps, rates.rates)];
}

function lengthWarnings(
  { name, steps, interval }: { readonly name: string; readonly steps: number; readonly interval: string },
  options: Readonly<Record<string, unknown>>,
): PlanWarning[] {
  for (const { key, mayBeShorter } of lengthOptions) {
    const length = options[key];
    if (typeof length !== 'number' || length <= 0) continue;
    const hint = `Set ${key} to ${steps}${interval === 'step' ? '' : ', as lr_scheduler_interval is epoch'}, or leave it out where it is filled in.`;
    if (!mayBeShorter && length < steps * (1 - tolerance)) {
      return [
        {
          code: 'schedule-ends-early',
          text: `The schedule ends at ${percent(length / steps)} of the training: ${name} has ${key} = ${length}, and will be stepped ${steps} times. ${hint}`,
        },
      ];
    }
    if (length > steps * (1 + tolerance)) {
      return [
        {
          code: 'schedule-does-not-end',
          text: `The schedule does not reach its end, only ${percent(steps / length)} of it: ${name} has ${key} = ${length}, and will be stepped ${steps} times. ${hint}`,
        },
      ];
    }
  }
  return [];
}

/** A rate of zero trains nothing. */
function zeroWarnings(optimizerSteps: number, rates: readonly (readonly number[])[]): PlanWarning[] {
  const first = Math.min(...rates.map(trailingZerosFrom));
  const idle = optimizerSteps - first;
  if (!Number.isFinite(first) || idle <= Math.max(1, optimizerSteps * tolerance)) return [];
  return [
    {
      code: 'rate-is-zero',
      text: `The learning rate is 0 for the last ${idle} of ${optimizerSteps} optimizer steps (${percent(idle / optimizerSteps)} of the training): they train nothing.`,
    },
  ];
}

function trailingZerosFrom(rates: readonly number[]): number {
  return rates.findLastIndex((rate) => rate !== 0) + 1;
}

function percent(share: number): string {
  return `${share < 0.1 ? Number((share * 100).toPrecision(2)) : Math.round(share * 100)} %`;
}
