import type { PlannedRate } from '../../api/planModel.ts';
import { advanceScheduler, followsMetric } from '../../optim/index.ts';
import type { OptimizerLike, SchedulerLike } from '../ports.ts';

/** Records the rates in force at each optimizer step while the real scheduler is stepped as the loop would. */
export class RateRecorder {
  readonly #optimizer: OptimizerLike;
  readonly #scheduler: SchedulerLike | null;
  readonly #interval: 'step' | 'epoch';
  readonly #processes: number;
  readonly #steps: number[] = [];
  readonly #rates: number[][];
  #failure: { readonly step: number; readonly error: unknown } | undefined;
  #schedulerSteps = 0;

  constructor(
    optimizer: OptimizerLike,
    scheduler: SchedulerLike | null,
    interval: 'step' | 'epoch',
    processes: number,
  ) {
    this.#optimizer = optimizer;
    this.#scheduler = scheduler;
    this.#interval = interval;
    this.#processes = processes;
    this.#rates = optimizer.paramGroups.map(() => []);
  }

  /** Whether only the training itself can tell the rates: then they are shown as they begin. */
  get followsMetric(): boolean {
    return followsMetric(this.#scheduler);
  }

  get schedulerSteps(): number {
    return this.#schedulerSteps;
  }

  /** The step at which the scheduler threw, and what. */
  get failure(): { readonly step: number; readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** The rates of all groups, group by group, at each optimizer step. */
  get rates(): readonly (readonly number[])[] {
    return this.#rates;
  }

  onSync(step: number): void {
    this.#steps.push(step);
    this.#optimizer.paramGroups.forEach((group, index) => void this.#rates[index]?.push(group.lr));
    if (this.#interval === 'step') this.#advance(step, (scheduler) => advanceScheduler(scheduler, this.#processes));
  }

  onEpochDone(step: number): void {
    if (this.#interval === 'epoch') this.#advance(step, (scheduler) => scheduler.step());
  }

  #advance(step: number, advance: (scheduler: SchedulerLike) => void): void {
    if (this.#scheduler === null || this.#failure !== undefined) return;
    this.#schedulerSteps += this.#interval === 'step' ? this.#processes : 1;
    // by steps there is no metric to follow: that fails in training, and so it does here
    if (this.followsMetric && this.#interval === 'epoch') return;
    try {
      advance(this.#scheduler);
    } catch (error) {
      this.#failure = { step, error };
    }
  }

  /** One curve for groups that go alike, with at most `maxPoints` points, the first and the last among them. */
  curves(maxPoints: number | undefined): PlannedRate[] {
    const alike = new Map<string, number[]>();
    this.#rates.forEach((rates, index) => {
      const same = [...alike.keys()].find((key) => equal(this.#rates[Number(key)] ?? [], rates));
      if (same === undefined) alike.set(String(index), [index]);
      else alike.get(same)?.push(index);
    });
    return [...alike.values()].map((groups) => {
      const rates = this.#rates[groups[0] ?? 0] ?? [];
      const chosen = thinned(rates, maxPoints);
      return {
        label: `group${groups.length === 1 ? '' : 's'} ${groups.join(', ')}`,
        step: Float64Array.from(chosen, (index) => this.#steps[index] ?? 0),
        rate: Float64Array.from(chosen, (index) => rates[index] ?? 0),
        totalPoints: rates.length,
      };
    });
  }
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/**
 * Indices of at most `maxPoints` values: of each stretch the lowest and the highest, so that no peak is lost, and both
 * ends.
 */
function thinned(values: readonly number[], maxPoints: number | undefined): number[] {
  const all = values.length;
  if (maxPoints === undefined || all <= maxPoints) return [...values.keys()];
  const stretches = Math.max(1, Math.floor((maxPoints - 2) / 2));
  const chosen = new Set<number>([0]);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const [from, to] = [Math.floor((stretch * all) / stretches), Math.floor(((stretch + 1) * all) / stretches)];
    let [lowest, highest] = [from, from];
    for (let index = from; index < to; index++) {
      if ((values[index] ?? 0) < (values[lowest] ?? 0)) lowest = index;
      if ((values[index] ?? 0) > (values[highest] ?? 0)) highest = index;
    }
    chosen.add(lowest).add(highest);
  }
  return [...chosen.add(all - 1)].sort((a, b) => a - b);
}
