import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../api/errors.ts';
import { LateFailure, mostUnderway } from '../../backend/graph/index.ts';
import type { LoadedBatch } from '../../data/index.ts';
import type { StepCompiler } from '../compile/stepCompiler.ts';
import type { StartedStep, StepRequest } from '../compile/stepRequest.ts';
import type { TrainState } from '../state/trainState.ts';
import type { HookCaller } from './hookCall.ts';
import type { LoggedStep, StepLog } from './stepLog.ts';

/** A step that was started and may not have run yet. */
interface LateStep extends LoggedStep {
  readonly request: StepRequest;
  readonly loaded: LoadedBatch;
  /** Until its numbers are logged. */
  takeNumbers: StartedStep['takeNumbers'];
}

/** How often is looked whether numbers are there while something else is waited for. */
const lookEveryMs = 20;

/** A failure may be found only when yet another one is started. */
const most = mostUnderway + 1;

/** Steps whose graphs run while the loop has gone on: logs their numbers, and says which it was when one of them fails. */
export class LateSteps {
  readonly #compiler: StepCompiler | undefined;
  readonly #hooks: HookCaller;
  readonly #state: TrainState;
  readonly #log: StepLog;
  readonly #steps = new Map<number, LateStep>();
  /** Steps among them whose numbers are wanted. */
  #owed = 0;

  constructor(compiler: StepCompiler | undefined, hooks: HookCaller, state: TrainState, log: StepLog) {
    this.#compiler = compiler;
    this.#hooks = hooks;
    this.#state = state;
    this.#log = log;
  }

  /** `rate` is the learning rate that the step was made with. */
  add({ ticket, takeNumbers }: StartedStep, request: StepRequest, loaded: LoadedBatch, rate: number | undefined): void {
    const { step, epoch } = this.#state;
    const isOwed = takeNumbers !== undefined;
    if (isOwed) this.#owed++;
    const rateToLog = isOwed ? this.#log.rateToLog(rate) : undefined;
    this.#steps.set(ticket, { request, loaded, step, epoch, rate: rateToLog, takeNumbers });
    // the oldest ones have ended
    this.collect();
    const [oldest = ticket] = this.#steps.keys();
    if (this.#steps.size > most) this.#steps.delete(oldest);
  }

  /** Logs the numbers of steps that have ended. */
  collect(): void {
    if (this.#owed === 0) return;
    for (const late of this.#steps.values()) {
      const numbers = late.takeNumbers?.();
      if (numbers === undefined && late.takeNumbers !== undefined) return;
      if (numbers === undefined) continue;
      late.takeNumbers = undefined;
      this.#owed--;
      this.#log.late(numbers, late);
    }
  }

  /** Waits for something else; numbers are logged as soon as they are there all the same. */
  async during<T>(work: Promise<T>): Promise<T> {
    const ended = work.then(
      () => true,
      () => true,
    );
    while (this.#owed > 0) {
      if (await Promise.race([ended, sleep(lookEveryMs, false, { ref: false })])) break;
      this.collect();
    }
    return work;
  }

  /** Waits for all of them, before anybody looks at what they leave. Throws `LateFailure`. */
  settle(): void {
    if (this.#steps.size === 0) return;
    this.#compiler?.runs.settle();
    this.collect();
    this.#steps.clear();
  }

  /**
   * What to throw for an error that ended the training. Where a step had failed that was not waited for, wherever that came
   * out, it is that step's error, found by doing it again one operation at a time.
   */
  errorOf(error: unknown): unknown {
    const failure = failureIn(error);
    const late = failure && this.#steps.get(failure.ticket);
    if (failure === undefined || late === undefined) {
      // what came of later steps is no news then
      this.#compiler?.runs.forget();
      this.collect();
      return error;
    }
    this.collect();
    this.#state.step = late.step;
    this.#state.epoch = late.epoch;
    this.#hooks.enterBatch(late.loaded, late.request.index);
    try {
      this.#compiler?.runs.rehearse(failure, late.request);
    } catch (own) {
      return this.#hooks.error('training_step', own);
    }
    return this.#hooks.error(
      'training_step',
      new EngineError(
        'trainer.compile',
        `its graph failed where single operations do not (${failure.message.split('\n')[0]}). Go on from the last checkpoint with trainer.compile=false.`,
        {},
        { cause: failure },
      ),
    );
  }
}

function failureIn(error: unknown): LateFailure | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof LateFailure) return cause;
  return undefined;
}
