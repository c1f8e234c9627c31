import * as tf from '@tensorflow/tfjs';

/** What was there when a hook began. */
export interface TraceMark {
  readonly tensors: number;
  readonly rss: number;
}

interface HookTotals {
  calls: number;
  tensors: number;
  rss: number;
}

export interface TracedHook {
  readonly name: string;
  readonly calls: number;
  /** Tensors that it left behind, all calls together. */
  readonly tensors: number;
  /** Bytes by which the process grew during its calls. */
  readonly rss: number;
}

/** Adds up what each hook leaves behind. Made only when something is known to grow: it costs a few microseconds a hook. */
export class HookTrace {
  readonly #totals = new Map<string, HookTotals>();
  /** Tensors of the trainer's own that come and go by its clock, not by the hooks'. */
  readonly #held: () => number;

  constructor(held: () => number) {
    this.#held = held;
  }

  enter(): TraceMark {
    return { tensors: liveTensors() - this.#held(), rss: process.memoryUsage.rss() };
  }

  /** `owed` are the tensors that the hook was to make: its result, which the trainer frees. */
  leave(hook: string, mark: TraceMark, owed = 0): void {
    const now = this.enter();
    const totals = this.#totals.get(hook) ?? { calls: 0, tensors: 0, rss: 0 };
    totals.calls++;
    totals.tensors += now.tensors - mark.tensors - owed;
    totals.rss += now.rss - mark.rss;
    this.#totals.set(hook, totals);
  }

  /** The hook that left most, or undefined when none left as much as `share` of `grown`. */
  worst(what: 'tensors' | 'rss', grown: number): TracedHook | undefined {
    let worst: TracedHook | undefined;
    for (const [name, totals] of this.#totals) {
      if (totals[what] > (worst?.[what] ?? 0)) worst = { name, ...totals };
    }
    return worst !== undefined && worst[what] >= grown / 2 ? worst : undefined;
  }
}

/** Tensors alive in this process; a field read, where tf.memory() asks the backend too. */
export function liveTensors(): number {
  return tf.engine().state.numTensors;
}

/** How many tensors a batch holds. */
export function countTensors(value: unknown): number {
  if (value instanceof tf.Tensor) return 1;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, item: unknown) => sum + countTensors(item), 0);
}
