import * as tf from '@tensorflow/tfjs';
import type { Obstacle } from '../../backend/graph/index.ts';
import { Optimizer, type PlannedUpdate } from '../../optim/index.ts';
import type { StepResult } from '../loop/eagerStep.ts';
import { stepScalar } from '../model/stepInputs.ts';
import { compareTraces, firstVarying, hostConstants } from './compareTraces.ts';
import type { Compiled } from './compiled.ts';
import { CompiledStep, type PartName } from './compiledStep.ts';
import type { TensorBackend } from './nativeTensors.ts';
import { onAnother } from './rolledBatch.ts';
import { refusedGraph } from './signatureGraphs.ts';
import type { StepCompilerOptions, StepRequest, UpdateForm } from './stepRequest.ts';
import { type StepTrace, traceStep } from './stepTrace.ts';

/** What the next step of the optimizer will compute with: recorded graphs look it up here. */
export interface CurrentNumbers {
  plan: readonly PlannedUpdate[];
  /** Of the averaged weights. */
  weight: number;
  /** What gradients of a scaled loss are multiplied by. */
  unscale: number;
}

/** Why a step was not compiled. */
export interface Refusal extends Obstacle {
  /** Whether another step may do, because this one does something of its own (a look at a value, a picture logged). */
  readonly isMomentary: boolean;
}

/** Rehearses a step, which changes nothing, and makes a graph of it. */
export class StepRecorder {
  readonly #options: StepCompilerOptions;
  readonly #backend: TensorBackend;
  readonly #numbers: CurrentNumbers;
  readonly #needsHost: boolean;

  constructor(options: StepCompilerOptions, backend: TensorBackend, numbers: CurrentNumbers, needsHost: boolean) {
    this.#options = options;
    this.#backend = backend;
    this.#numbers = numbers;
    this.#needsHost = needsHost;
  }

  /**
   * Rehearses the step on another batch as the step after this one, then on its own batch, and compares. With `isHost`
   * the graph is made for running beside the step's JavaScript whether that seems needed or not.
   */
  compile(request: StepRequest, tensors: ReadonlyMap<string, tf.Tensor>, isHost: boolean): Compiled | Refusal {
    const { optimizer, form, accumulates, parameters } = this.#options;
    const first = this.#rehearse(request, 1);
    if (first.obstacle !== undefined) return refusal(first.obstacle, first);
    const byName = new Map(parameters.map(({ name, variable }) => [name, variable]));
    const withGradient = new Map<string, tf.Tensor>();
    for (const name of first.gradients.keys()) {
      const variable = byName.get(name);
      if (variable !== undefined) withGradient.set(name, variable);
    }
    const fuses = form !== 'gradients' && optimizer instanceof Optimizer;
    const resources = fuses ? optimizer.prepareState(new Set(withGradient.keys())) : [];
    this.#numbers.plan = fuses ? optimizer.planStep(withGradient) : [];
    const trace = traceStep({
      ...this.#traceOptions(request, request.batch, tensors, 0),
      resources,
      accumulates: fuses && accumulates,
      cut: form === 'cut' ? 'gradients' : form === 'flat' ? 'flat' : undefined,
      update: fuses ? (gradients) => this.#update(optimizer, gradients) : undefined,
    });
    if (trace.obstacle !== undefined) return refusal(trace.obstacle, trace);
    let comparison = compareTraces(first, trace);
    const hostWork = first.hostWork ?? trace.hostWork;
    // another step may run something else: the same step twice must not
    if (comparison.obstacle !== undefined && (hostWork !== undefined || isHost)) {
      const again = this.#rehearse(request, 0);
      if (again.obstacle !== undefined) return refusal(again.obstacle, again);
      comparison = compareTraces(again, trace);
    }
    if (comparison.obstacle !== undefined) return { ...comparison.obstacle, isMomentary: false };
    const needsHost = isHost || this.#needsHost || hostWork !== undefined || comparison.varying.size > 0;
    const hostWhy = hostWork ?? firstVarying(comparison.varying);
    try {
      const step = new CompiledStep({
        backend: this.#backend,
        trace,
        parts: partsOf(form, accumulates),
        holdsState: fuses,
        varying: needsHost ? hostConstants(trace, comparison.varying) : new Set(),
        xla: this.#options.xla,
      });
      return {
        step,
        plan: this.#numbers.plan,
        parameters: withGradient,
        isHost: needsHost,
        hostWhy,
        uses: 0,
        isProven: false,
      };
    } catch (error) {
      return { ...refusedGraph(error), isMomentary: false };
    }
  }

  /** Rehearses the step as it is now, the update left out. */
  trace(request: StepRequest, tensors: ReadonlyMap<string, tf.Tensor>): StepTrace {
    return traceStep(this.#traceOptions(request, request.batch, tensors, 0));
  }

  /** The step on its batch with the rows moved on, or on the batch itself where the step does not take that. */
  #rehearse(request: StepRequest, ahead: number): StepTrace {
    return onAnother(request.batch, (batch, tensors) => traceStep(this.#traceOptions(request, batch, tensors, ahead)));
  }

  #traceOptions(request: StepRequest, batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>, ahead: number) {
    const { beginNoise, owners, opaque, watch, random, eager, trainingStep, divisor, scaler } = this.#options;
    return {
      backend: this.#backend,
      batch,
      tensors,
      owners,
      opaque,
      resources: [],
      watch,
      ahead,
      run: (seen: unknown, forwardDone: () => void): StepResult => {
        const before = random.state();
        beginNoise(ahead);
        try {
          return eager.run(
            () => {
              const loss = trainingStep(seen as never, request.index + ahead);
              forwardDone();
              return loss;
            },
            scaler === undefined ? divisor : () => stepScalar(() => divisor / scaler.scale),
          );
        } finally {
          beginNoise(0);
          random.restore(before);
        }
      },
    };
  }

  #update(optimizer: Optimizer, raw: ReadonlyMap<string, tf.Tensor>): Record<string, tf.Tensor> {
    const { clip, average, scaler } = this.#options;
    const numbers = this.#numbers;
    const factor = scaler === undefined ? undefined : stepScalar(() => numbers.unscale);
    const unscaled =
      factor === undefined ? raw : new Map([...raw].map(([name, gradient]) => [name, tf.mul(gradient, factor)]));
    const { gradients, norm } = clip(unscaled);
    const scalars = numbers.plan.map((update, i) =>
      Object.fromEntries(
        Object.keys(update.scalars).map((name) => [
          name,
          stepScalar(() => numbers.plan[i]?.scalars[name] ?? Number.NaN),
        ]),
      ),
    );
    optimizer.applyPlan(numbers.plan, gradients, scalars);
    average?.apply(stepScalar(() => numbers.weight));
    return norm === undefined ? {} : { gradNorm: norm };
  }
}

function partsOf(form: UpdateForm, accumulates: boolean): readonly PartName[] {
  if (form === 'whole') return accumulates ? ['forward', 'whole'] : ['whole'];
  return form === 'gradients' ? ['forward'] : ['forward', 'update'];
}

function refusal(obstacle: Obstacle, { hostWork }: StepTrace): Refusal {
  return { ...obstacle, isMomentary: hostWork !== undefined };
}
