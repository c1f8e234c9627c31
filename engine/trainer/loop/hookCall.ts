import { inspect } from 'node:util';
import { EngineError } from '../../api/errors.ts';
import type { Collective } from '../../api/training.ts';
import { withoutStatus } from '../../backend/index.ts';
import type { LoadedBatch } from '../../data/index.ts';
import { placeOf } from '../compile/placeOf.ts';
import type { HookTrace } from '../monitor/hookTrace.ts';
import type { LeakGuard } from '../monitor/leakGuard.ts';
import type { TrainState } from '../state/trainState.ts';

interface HookPlace {
  readonly rank: number;
  readonly state: Readonly<TrainState>;
  /** Sample numbers of the batch, where there is one. */
  readonly samples: readonly number[] | undefined;
  readonly batchIndex: number | undefined;
}

/** Calls hooks, and says where the training stood when one fails. */
export class HookCaller {
  readonly #collective: Pick<Collective, 'rank'>;
  readonly #state: Readonly<TrainState>;
  readonly #guard: LeakGuard | undefined;
  #batch: LoadedBatch | undefined;
  #batchIndex: number | undefined;

  constructor(collective: Pick<Collective, 'rank'>, state: Readonly<TrainState>, guard: LeakGuard | undefined) {
    this.#collective = collective;
    this.#state = state;
    this.#guard = guard;
  }

  /** Where hooks are to be measured at present. */
  get trace(): HookTrace | undefined {
    return this.#guard?.trace;
  }

  /** What follows is about this batch. */
  enterBatch(batch: LoadedBatch, index: number): void {
    this.#batch = batch;
    this.#batchIndex = index;
  }

  leaveBatch(): void {
    this.#batch = undefined;
    this.#batchIndex = undefined;
  }

  /** A promise only where the work gives one. `owed` counts the tensors in a result that the caller frees. */
  call<T>(hook: string, work: () => T | Promise<T>, owed?: (result: T) => number): T | Promise<T> {
    const { trace } = this;
    const mark = trace?.enter();
    const leave = mark && ((result: T): void => trace?.leave(hook, mark, owed?.(result)));
    try {
      const result = work();
      if (isPromise(result)) return this.#settled(hook, result, leave);
      leave?.(result);
      return result;
    } catch (error) {
      throw this.error(hook, error);
    }
  }

  async #settled<T>(hook: string, pending: Promise<T>, leave: ((result: T) => void) | undefined): Promise<T> {
    try {
      const result = await pending;
      leave?.(result);
      return result;
    } catch (error) {
      throw this.error(hook, error);
    }
  }

  error(hook: string, error: unknown): EngineError {
    const { rank } = this.#collective;
    const place = { rank, state: this.#state, samples: this.#batch?.indices, batchIndex: this.#batchIndex };
    return hookError(hook, place, error);
  }
}

/** A project's hook may give a promise of another library's. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * Says in which hook, at which step, on which rank and in which line of the project something went wrong; the cause
 * stays attached. The code is
 * `trainer.hook`, or the cause's own where it has one; what only reports that another rank failed passes unchanged.
 */
function hookError(hook: string, place: HookPlace, error: unknown): EngineError {
  if (error instanceof EngineError && error.code.startsWith('distributed.')) return error;
  const { epoch, step } = place.state;
  const reason = reasonOf(error);
  const line = placeOf(error, import.meta.dirname);
  const where = [
    `rank ${place.rank}`,
    `epoch ${epoch}`,
    `step ${step}`,
    ...(place.batchIndex === undefined ? [] : [`batch ${place.batchIndex}`]),
    ...(place.samples === undefined || place.samples.length === 0 ? [] : [`samples ${listSamples(place.samples)}`]),
    ...(line === undefined || reason.includes(line) ? [] : [line]),
  ].join(', ');
  return new EngineError(
    error instanceof EngineError ? error.code : 'trainer.hook',
    `${hook} failed (${where}): ${reason}`,
    {
      hook,
      rank: place.rank,
      epoch,
      step,
      batchIndex: place.batchIndex,
      samples: place.samples,
      ...(error instanceof EngineError ? { cause: error.details } : {}),
    },
    { cause: error },
  );
}

/** Anything can be thrown: text says what it says, what else is no error is shown. */
function reasonOf(error: unknown): string {
  if (error instanceof Error) return withoutStatus(error.message) || error.name;
  return typeof error === 'string' ? error : `it threw ${inspect(error, { depth: 1, breakLength: 120 }).slice(0, 300)}`;
}

/** Sample numbers for a message, not all of a large batch. */
export function listSamples(samples: readonly number[]): string {
  const shown = samples.slice(0, 8).join(' ');
  return samples.length > 8 ? `${shown} … (${samples.length})` : shown;
}
