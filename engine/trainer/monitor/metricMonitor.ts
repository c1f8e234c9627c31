import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { checkOptions } from '../../data/options.ts';

export interface MetricMonitorOptions {
  readonly metric_name?: string;
  readonly mode?: 'min' | 'max';
}

export interface MetricMonitorState {
  readonly metric_name: string;
  readonly mode: 'min' | 'max';
  /** null until a first value came; JSON has no infinity. */
  readonly best_value: number | null;
  readonly worse_count: number;
}

/** Watches one validation metric: is this value the best so far, and for how many validations was it not? */
export class MetricMonitor {
  readonly metric_name: string;
  readonly mode: 'min' | 'max';
  best_value: number | undefined;
  worse_count = 0;

  constructor(options: MetricMonitorOptions = {}) {
    checkOptions('MetricMonitor', options, ['metric_name', 'mode']);
    this.metric_name = options.metric_name ?? 'loss';
    this.mode = options.mode ?? 'min';
    if (this.mode !== 'min' && this.mode !== 'max') {
      throw new EngineError(
        'options.invalid',
        `MetricMonitor: 'mode' must be min or max, not ${JSON.stringify(this.mode)}.`,
        {},
      );
    }
  }

  /** True when the metric is better than ever; NaN never is. Throws `trainer.monitor.metric` when it was not computed. */
  update(metrics: Readonly<Record<string, number>>): boolean {
    const value = metrics[this.metric_name];
    if (value === undefined) {
      const names = Object.keys(metrics);
      throw new EngineError(
        'trainer.monitor.metric',
        `The metric monitor watches '${this.metric_name}', but validation gave ${names.length === 0 ? 'no metrics' : names.join(', ')}.${didYouMean(this.metric_name, names)} Return it from get_val_metrics() or pass it to accumulate() in validation_step.`,
        { metric: this.metric_name, metrics: names },
      );
    }
    const isBetter = this.isBetter(value, this.best_value);
    if (isBetter) {
      this.best_value = value;
      this.worse_count = 0;
    } else {
      this.worse_count++;
    }
    return isBetter;
  }

  /** Whether a value beats the best one; NaN never does, any other beats none. */
  isBetter(value: number, best: number | undefined): boolean {
    if (Number.isNaN(value)) return false;
    return best === undefined || (this.mode === 'min' ? value < best : value > best);
  }

  state_dict(): MetricMonitorState {
    return {
      metric_name: this.metric_name,
      mode: this.mode,
      best_value: this.best_value ?? null,
      worse_count: this.worse_count,
    };
  }

  /** Takes over best value and count, unless the state is about another metric or direction: then false, from scratch. */
  load_state_dict(state: MetricMonitorState): boolean {
    if (state.metric_name !== this.metric_name || state.mode !== this.mode) return false;
    this.best_value = state.best_value ?? undefined;
    this.worse_count = state.worse_count;
    return true;
  }
}

/** Early stop counts validations in a row without improvement; null never stops. */
export function shouldStopEarly(patience: number | null, monitor: MetricMonitor): boolean {
  return patience !== null && monitor.worse_count >= patience;
}
