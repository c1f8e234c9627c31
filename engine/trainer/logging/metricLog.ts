import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import type { MetricPoint, Reporter } from '../../api/training.ts';
import type { Clock } from '../../base/clock.ts';

export type MetricValue = number | tf.Tensor;

export interface MetricLogOptions {
  readonly reporter: Reporter;
  readonly clock: Clock;
  /** Ranks other than 0 log nothing. */
  readonly isActive: boolean;
  readonly flushEveryMs?: number;
  readonly flushAtPoints?: number;
}

interface Pending {
  readonly key: string;
  readonly step: number;
  readonly epoch: number;
  readonly time: number;
  value: MetricValue;
}

/**
 * Metrics on their way to the reporter. Values may be tensors: they are kept on the device and read when a batch of
 * points is sent, by time or by count. Of several values for one key at one step the last one counts.
 */
export class MetricLog {
  readonly #reporter: Reporter;
  readonly #clock: Clock;
  readonly #isActive: boolean;
  readonly #flushEveryMs: number;
  readonly #flushAtPoints: number;
  /** The step of each key's newest value, sent or not. */
  readonly #latest = new Map<string, number>();
  #pending: Pending[] = [];
  #held = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: MetricLogOptions) {
    this.#reporter = options.reporter;
    this.#clock = options.clock;
    this.#isActive = options.isActive;
    this.#flushEveryMs = options.flushEveryMs ?? 100;
    this.#flushAtPoints = options.flushAtPoints ?? 512;
  }

  /** Takes a value; a tensor is copied by reference and stays the caller's. */
  add(key: string, value: MetricValue, step: number, epoch: number): void {
    if (!this.#isActive) return;
    this.#latest.set(key, step);
    const kept = this.#keep(value);
    const same = this.#pending.findLast((item) => item.key === key && item.step === step);
    if (same !== undefined) {
      this.#release(same);
      same.value = kept;
      return;
    }
    this.#pending.push({ key, step, epoch, time: this.#clock.now(), value: kept });
    if (this.#pending.length >= this.#flushAtPoints) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), this.#flushEveryMs).unref();
  }

  /** Tensors kept until they are read. */
  get heldTensors(): number {
    return this.#held;
  }

  has(key: string, step: number): boolean {
    return this.#latest.get(key) === step;
  }

  /** Resolves when all points added before are with the reporter; throws what reading a tensor threw. */
  async flush(): Promise<void> {
    this.#send();
    await this.#sending;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const items = this.#pending;
    this.#pending = [];
    this.#sending = this.#sending
      .then(() => this.#report(items))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      });
  }

  async #report(items: readonly Pending[]): Promise<void> {
    const points: MetricPoint[] = [];
    for (const item of items) {
      const { key, step, epoch, time } = item;
      points.push({ key, step, epoch, time, value: await readScalar(item.value) });
      this.#release(item);
    }
    this.#reporter.report({ type: 'metrics', points });
  }

  #keep(value: MetricValue): MetricValue {
    if (typeof value === 'number') return value;
    this.#held++;
    return tf.keep(value.clone());
  }

  #release({ value }: Pending): void {
    if (typeof value === 'number') return;
    this.#held--;
    value.dispose();
  }

  /** Frees what was never sent. */
  dispose(): void {
    clearTimeout(this.#timer);
    for (const item of this.#pending.splice(0)) this.#release(item);
  }
}

/** Throws `trainer.metric`, naming the metric, for what is no object of numbers and living tensors; `owner` got or gave it. */
export function checkMetrics(owner: string, values: unknown): void {
  if (typeof values !== 'object' || values === null || Array.isArray(values) || values instanceof tf.Tensor) {
    const found = values instanceof tf.Tensor ? 'a tensor' : Array.isArray(values) ? 'a list' : shown(values);
    throw refused(`${owner}: metrics are an object with their names, such as {loss: 0.5}, not ${found}.`);
  }
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'number') continue;
    if (!(value instanceof tf.Tensor)) {
      throw refused(`${owner}: the metric '${name}' must be a number or a tensor, not ${shown(value)}.`);
    }
    if (value.isDisposed) {
      throw refused(`${owner}: the metric '${name}' is a tensor that was disposed before it could be read.`);
    }
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `the text '${value}'` : String(value);
  return typeof value === 'object' && value !== null ? 'an object' : text;
}

function refused(text: string): EngineError {
  return new EngineError('trainer.metric', text, {});
}

/** The mean of a tensor's values, which for a scalar is its value. Waits for the device. */
export async function readScalar(value: MetricValue): Promise<number> {
  if (typeof value === 'number') return value;
  return meanOfValues(await value.data<'float32'>());
}

export function meanOfValues(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
}
