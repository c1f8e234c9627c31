import * as tf from '@tensorflow/tfjs';
import { type Constant, Mismatch, Replay } from '../../backend/graph/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import { listenToStepInputs, type StepInput } from '../model/stepInputs.ts';
import { type HostRoot, HostWatch } from './hostWatch.ts';
import { seeingLasting } from './lastingTensors.ts';
import { handleOf, peekedKey, peeking, type TensorBackend } from './nativeTensors.ts';
import { freeTape, type Logged, meanOf, type StepTrace, type TraceSink, watching } from './stepTrace.ts';

export interface ReplayRequest {
  readonly backend: TensorBackend;
  readonly trace: StepTrace;
  readonly varying: ReadonlySet<Constant>;
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  readonly owners: readonly HostRoot[];
  readonly opaque: ReadonlySet<unknown>;
  readonly watch: (sink: TraceSink | undefined) => void;
  /** training_step, or validation_step. */
  readonly run: () => unknown;
}

/** What a step's JavaScript did this time. */
export interface Replayed {
  /** Values of its own that the graph is to be fed with. */
  readonly values: Replay['values'];
  /** Numbers that it logged; tensors come from the graph. */
  readonly logged: ReadonlyMap<string, Logged>;
  /** What it printed, to be printed now. */
  readonly prints: readonly (() => void)[];
}

/**
 * Runs training_step's JavaScript while no operation reaches TensorFlow. A `Mismatch` when it asks for anything else than
 * what was recorded: then nothing has changed. Throws what the step throws.
 */
export function replayStep(request: ReplayRequest): Replayed | Mismatch {
  const { backend, trace, tensors, varying, watch } = request;
  let ofVariables: ReadonlyMap<number, string> | undefined;
  const replay = new Replay(backend, {
    operations: trace.operations.slice(0, trace.forwardLength),
    varying,
    identify: (id) => {
      const peeked = peekedKey(id);
      if (peeked === undefined) ofVariables ??= variableHandles(backend, trace);
      return peeked ?? ofVariables?.get(id);
    },
  });
  for (const [path, tensor] of tensors)
    replay.declare(handleOf(backend, tensor), `batch:${path}`, backend.getDTypeInteger(tensor.dtype), tensor.shape);
  const logged = new Map<string, Logged>();
  const prints: (() => void)[] = [];
  const expectLogged = (key: string, value: MetricValue, isAlways: boolean): void => {
    const recorded = trace.logged.get(key);
    if (recorded === undefined || recorded.isAlways !== isAlways) throw new Mismatch('it logs other values each time');
    if (typeof value === 'number' || typeof recorded.value === 'number') {
      if (typeof value !== typeof recorded.value) throw new Mismatch('it logs other values each time');
    } else replay.expect(handleOf(backend, value), recorded.value);
    logged.set(key, { value: typeof value === 'number' ? value : recorded.value, isAlways });
  };
  const sink: TraceSink = {
    ahead: 0,
    log: (values, isAlways) => {
      for (const [key, value] of Object.entries(values)) expectLogged(key, value, isAlways);
    },
    accumulate: (values, count) => {
      for (const [key, value] of Object.entries(values)) {
        if (trace.logged.get(key)?.count !== count)
          throw new Mismatch('it accumulates over another number of samples each time');
        expectLogged(key, typeof value === 'number' ? value : meanOf(value), false);
      }
    },
    print: (print) => prints.push(print),
    looks: () => undefined,
    refuse: (reason) => {
      throw new Mismatch(reason);
    },
  };
  let inputs = 0;
  const onInput = (input: StepInput, tensor: tf.Tensor): void => {
    replay.declare(handleOf(backend, tensor), `${input.kind}:${inputs++}`, 0, tensor.shape);
  };
  const fields = new HostWatch(request.owners, request.opaque);
  const { state } = tf.engine();
  const { numTensors } = state;
  let mismatch: Mismatch | undefined;
  let isSame = false;
  let frees = false;
  const run = () =>
    seeingLasting(
      () => underTape(request.run),
      ({ spared }) => {
        frees = spared.size > 0;
      },
      () => untold,
    );
  try {
    peeking(() =>
      replay.run(() => listenToStepInputs(onInput, () => watching(watch, sink, () => withoutAssigning(run)))),
    );
    // a tensor of a step that was not run must not outlive it, and those that were there before must
    isSame = state.numTensors === numTensors && !frees && fields.changed()?.holdsTensor !== true;
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    mismatch = error;
  } finally {
    fields.stop(isSame ? 'nothing' : 'back');
  }
  if (isSame) return { values: replay.values, logged, prints };
  return mismatch ?? new Mismatch('it keeps or frees other tensors each time');
}

/** Nobody is told where a replay kept or freed tensors, and taking down the stack of each was a third of its time. */
const untold = new Error('in a replay');

function variableHandles(backend: TensorBackend, { variables }: StepTrace): ReadonlyMap<number, string> {
  return new Map([...variables].map(([key, variable]) => [handleOf(backend, variable), key]));
}

/** Runs work as when gradients are taken, which decides between some kernels, but keeps no gradients. */
function underTape(work: () => unknown): void {
  const { state } = tf.engine();
  state.activeTape = [];
  state.gradientDepth++;
  tf.engine().startScope('replay');
  try {
    const loss = work();
    // it is the caller's, who would free it, whether it is kept or not
    if (loss instanceof tf.Tensor) loss.dispose();
  } finally {
    tf.engine().endScope();
    state.gradientDepth--;
    freeTape();
  }
}

/** Puts back what work assigns to variables. */
function withoutAssigning<T>(work: () => T): T {
  const { prototype } = tf.Variable;
  const assign = prototype.assign;
  const before = new Map<tf.Variable, tf.Tensor>();
  prototype.assign = function assignForNow(this: tf.Variable, value: tf.Tensor) {
    if (!before.has(this)) before.set(this, tf.keep(this.clone()));
    assign.call(this, value);
  };
  try {
    return work();
  } finally {
    prototype.assign = assign;
    for (const [variable, value] of before) {
      variable.assign(value);
      value.dispose();
    }
  }
}
