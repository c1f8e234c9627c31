import { EngineError } from '../../api/errors.ts';
import { LateFailure, mostUnderway } from '../../backend/graph/index.ts';
import type { LoadedBatch } from '../../data/index.ts';
import type { StepCompiler } from '../compile/stepCompiler.ts';
import type { StepRequest } from '../compile/stepRequest.ts';
import type { TrainState } from '../state/trainState.ts';
import type { HookCaller } from './hookCall.ts';

/** A step that was started and may not have run yet. */
interface LateStep {
  readonly request: StepRequest;
  readonly loaded: LoadedBatch;
  readonly step: number;
  readonly epoch: number;
}

/** A failure may be found only when yet another one is started. */
const most = mostUnderway + 1;

/** Steps whose graphs run while the loop has gone on, to say which it was when one of them fails. */
export class LateSteps {
  readonly #compiler: StepCompiler | undefined;
  readonly #hooks: HookCaller;
  readonly #state: TrainState;
  readonly #steps = new Map<number, LateStep>();

  constructor(compiler: StepCompiler | undefined, hooks: HookCaller, state: TrainState) {
    this.#compiler = compiler;
    this.#hooks = hooks;
    this.#state = state;
  }

  add(ticket: number, request: StepRequest, loaded: LoadedBatch): void {
    const { step, epoch } = this.#state;
    this.#steps.set(ticket, { request, loaded, step, epoch });
    const [oldest = ticket] = this.#steps.keys();
    if (this.#steps.size > most) this.#steps.delete(oldest);
  }

  /** Waits for all of them, before anybody looks at what they leave. Throws `LateFailure`. */
  settle(): void {
    if (this.#steps.size === 0) return;
    this.#compiler?.runs.settle();
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
      return error;
    }
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
