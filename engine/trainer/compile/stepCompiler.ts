import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { difference, type Obstacle, sameValue } from '../../backend/graph/index.ts';
import { Optimizer, type PlannedUpdate, type WeightAverage } from '../../optim/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import type { StepExecutor, StepResult } from '../loop/eagerStep.ts';
import type { NamedVariable } from '../model/module.ts';
import { stepScalar } from '../model/stepInputs.ts';
import type { OptimizerLike } from '../ports.ts';
import type { CompileMode } from '../settingSections.ts';
import { batchSignature, batchTensors, sameGlances } from './batchWatch.ts';
import { CompiledStep } from './compiledStep.ts';
import { GraphCache } from './graphCache.ts';
import { type TensorBackend, tensorBackend } from './nativeTensors.ts';
import { placeOf } from './placeOf.ts';
import { type StepTrace, type TraceSink, traceStep } from './stepTrace.ts';

export interface StepCompilerOptions {
  readonly mode: CompileMode;
  /** Runs the step that is recorded. */
  readonly eager: StepExecutor;
  readonly parameters: readonly NamedVariable[];
  readonly optimizer: OptimizerLike;
  readonly average: WeightAverage | undefined;
  /** Micro-batches in an optimizer step. */
  readonly scale: number;
  /** Whether nothing but the trainer's own code stands between gradients and weights, so that all of it is one graph. */
  readonly isFused: boolean;
  readonly owners: readonly { readonly owner: object; readonly label: string }[];
  readonly trainingStep: (batch: never, index: number) => tf.Tensor;
  /** Begins the noise of a step other than the current one, or of the current one again. */
  readonly beginNoise: (ahead: number) => void;
  readonly watch: (sink: TraceSink | undefined) => void;
  readonly log: (values: Readonly<Record<string, MetricValue>>) => void;
  readonly say: (text: string, level: 'info' | 'warning') => void;
  /** Clips and measures, as the updater does; gives new tensors. */
  readonly clip: (gradients: ReadonlyMap<string, tf.Tensor>) => {
    readonly gradients: ReadonlyMap<string, tf.Tensor>;
    readonly norm: tf.Scalar | undefined;
  };
}

export interface StepRequest {
  readonly batch: unknown;
  readonly index: number;
  readonly wantsNorm: boolean;
  /** Whether what the step logs is wanted. */
  readonly isLogging: boolean;
}

/** A whole step that was run as a graph, the update included. */
export interface FusedResult {
  readonly loss: tf.Scalar;
  readonly gradNorm: tf.Scalar | undefined;
}

interface Compiled {
  readonly step: CompiledStep;
  /** The structure of the optimizer's plan that the graph was made for. */
  readonly planKey: string;
  /** The parameters that it has gradients of, in the gradients' place: their shapes are the same. */
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
  isVerified: boolean;
}

/** Records training steps and runs them as graphs, one for each signature of the batch. */
export class StepCompiler {
  readonly #options: StepCompilerOptions;
  readonly #backend: TensorBackend;
  readonly #cache = new GraphCache<Compiled>();
  #isOff = false;
  #plan: readonly PlannedUpdate[] = [];
  #weight = 0;
  #lateStarts = 0;

  constructor(options: StepCompilerOptions, backend: TensorBackend) {
    this.#options = options;
    this.#backend = backend;
  }

  /** A compiler where there is something to compile for; other backends stay eager without a word. */
  static create(options: StepCompilerOptions): StepCompiler | undefined {
    if (options.mode === false) return undefined;
    const backend = tensorBackend();
    if (backend !== undefined) return new StepCompiler(options, backend);
    if (options.mode === 'auto') return undefined;
    throw new EngineError(
      'trainer.compile',
      'compile: true needs the native TensorFlow backend; with compile: auto other backends run steps one operation at a time.',
      {},
    );
  }

  get isFused(): boolean {
    return this.#options.isFused;
  }

  /** The loss of a batch with the weights as they are, nothing changed; undefined when the step is not compiled. */
  loss(request: StepRequest): tf.Scalar | undefined {
    const tensors = batchTensors(request.batch);
    const compiled = this.#find(request, tensors);
    if (compiled === undefined) return undefined;
    const [loss] = this.#run(request, compiled, tensors, ['loss'], false) ?? [];
    return loss === undefined ? undefined : scalarOf(loss);
  }

  /** Forward, backward, clipping, optimizer and averages in one call; undefined when the step is to run eagerly. */
  fused(request: StepRequest): FusedResult | undefined {
    const { optimizer, average } = this.#options;
    if (!(optimizer instanceof Optimizer)) return undefined;
    const tensors = batchTensors(request.batch);
    const compiled = this.#find(request, tensors);
    if (compiled === undefined) return undefined;
    if (average !== undefined) this.#weight = average.nextWeight();
    const logs = logNames(compiled.step.trace, request.isLogging);
    const names = ['loss', ...(request.wantsNorm ? ['gradNorm'] : []), ...logs];
    const outputs = this.#run(request, compiled, tensors, names, true);
    if (outputs === undefined) return undefined;
    optimizer.planStep(compiled.parameters);
    const [loss, ...rest] = outputs;
    const norm = request.wantsNorm ? rest.shift() : undefined;
    this.#log(compiled.step.trace, request.isLogging, logs, rest);
    if (loss === undefined) throw new Error('Internal error: the graph gave no loss');
    return { loss: scalarOf(loss), gradNorm: norm === undefined ? undefined : scalarOf(norm) };
  }

  /** Forward and backward in one call; undefined when the step is to run eagerly. */
  backward(request: StepRequest): StepResult | undefined {
    const tensors = batchTensors(request.batch);
    const compiled = this.#find(request, tensors);
    if (compiled === undefined) return undefined;
    const { trace } = compiled.step;
    const logs = logNames(trace, request.isLogging);
    const gradientNames = [...trace.gradients.keys()];
    const changed = [...trace.changes.keys()];
    const names = [
      'loss',
      ...gradientNames.map((name) => `gradient:${name}`),
      ...changed.map((key) => `change:${key}`),
      ...logs,
    ];
    const outputs = this.#run(request, compiled, tensors, names, false);
    if (outputs === undefined) return undefined;
    const [loss, ...rest] = outputs;
    const gradients = new Map(gradientNames.map((name, i) => [name, rest[i] as tf.Tensor]));
    changed.forEach((key, i) => {
      const value = rest[gradientNames.length + i];
      if (value === undefined) return;
      trace.variables.get(key)?.assign(value);
      value.dispose();
    });
    this.#log(trace, request.isLogging, logs, rest.slice(gradientNames.length + changed.length));
    if (loss === undefined) throw new Error('Internal error: the graph gave no loss');
    return { loss: scalarOf(loss), gradients };
  }

  /** Gives the state back and unloads all graphs. */
  dispose(): void {
    for (const { step } of this.#cache.clear()) step.dispose();
  }

  #run(
    request: StepRequest,
    { step }: Compiled,
    tensors: ReadonlyMap<string, tf.Tensor>,
    names: readonly string[],
    updates: boolean,
  ): tf.Tensor[] | undefined {
    try {
      return step.run(tensors, names, updates);
    } catch (error) {
      // the step once more, one operation at a time and without effect: an error of the user's comes with its own stack
      const { trainingStep, eager, scale } = this.#options;
      this.#trace(request, 0, (batch) => eager.run(() => trainingStep(batch as never, request.index), scale));
      this.#turnOff({
        reason: `the graph failed where single operations did not (${messageOf(error)})`,
        at: undefined,
      });
      return undefined;
    }
  }

  #find(request: StepRequest, tensors: ReadonlyMap<string, tf.Tensor>): Compiled | undefined {
    if (this.#isOff) return undefined;
    const signature = this.#signature(tensors);
    const { optimizer } = this.#options;
    const found = this.#cache.find(signature, ({ step, planKey, parameters }) => {
      if (!sameGlances(request.batch, step.trace.glances)) return false;
      if (!(optimizer instanceof Optimizer) || !this.#options.isFused) return true;
      this.#plan = optimizer.peekStep(parameters);
      return planKeyOf(this.#plan) === planKey;
    });
    if (found !== undefined) return found.isVerified ? found : this.#verify(request, found, tensors);
    if (!this.#cache.mayAdd(signature, (text) => this.#options.say(text, 'warning'))) return undefined;
    const compiled = this.#compile(request, tensors);
    if (compiled !== undefined) for (const old of this.#cache.add(signature, compiled)) old.step.dispose();
    return compiled;
  }

  // a layer frozen or freed by a hook changes which gradients there are
  #signature(tensors: ReadonlyMap<string, tf.Tensor>): string {
    let frozen = '';
    for (const { name, variable } of this.#options.parameters) if (!variable.trainable) frozen += ` ${name}`;
    return batchSignature(tensors) + frozen;
  }

  /** Records the step twice on this batch, as two steps would be, and compares. */
  #compile(request: StepRequest, tensors: ReadonlyMap<string, tf.Tensor>): Compiled | undefined {
    const { optimizer, trainingStep, eager, scale, isFused, parameters } = this.#options;
    const step = (ahead: number) => (batch: unknown) =>
      eager.run(() => trainingStep(batch as never, request.index + ahead), scale);
    const first = this.#trace(request, 1, step(1), tensors);
    if (first.obstacle !== undefined) return this.#stayEager(first.obstacle);
    const byName = new Map(parameters.map(({ name, variable }) => [name, variable]));
    const withGradient = new Map(
      [...first.gradients.keys()].flatMap((name) =>
        byName.has(name) ? [[name, byName.get(name) as tf.Tensor] as const] : [],
      ),
    );
    const fuses = isFused && optimizer instanceof Optimizer;
    const resources = fuses ? optimizer.prepareState(new Set(withGradient.keys())) : [];
    this.#plan = fuses ? optimizer.peekStep(withGradient) : [];
    const trace = traceStep({
      ...this.#traceOptions(request, 0, step(0), tensors),
      resources,
      update: fuses ? (gradients) => this.#update(optimizer, gradients) : undefined,
    });
    const obstacle = trace.obstacle ?? differs(first, trace);
    if (obstacle !== undefined) return this.#stayEager(obstacle);
    try {
      const compiled = new CompiledStep({ backend: this.#backend, trace, holdsState: fuses });
      return { step: compiled, planKey: planKeyOf(this.#plan), parameters: withGradient, isVerified: false };
    } catch (error) {
      return this.#turnOff({ reason: `TensorFlow does not take its graph (${messageOf(error)})`, at: undefined });
    }
  }

  /** The second step of a signature is recorded as well: what depends on the batch's values shows now. */
  #verify(request: StepRequest, found: Compiled, tensors: ReadonlyMap<string, tf.Tensor>): Compiled | undefined {
    const { trainingStep, eager, scale } = this.#options;
    const trace = this.#trace(
      request,
      0,
      (batch) => eager.run(() => trainingStep(batch as never, request.index), scale),
      tensors,
    );
    const obstacle = trace.obstacle ?? differs(trace, found.step.trace);
    found.isVerified = true;
    return obstacle === undefined ? found : this.#turnOff(obstacle);
  }

  #update(optimizer: Optimizer, raw: ReadonlyMap<string, tf.Tensor>): Record<string, tf.Tensor> {
    const { clip, average } = this.#options;
    const { gradients, norm } = clip(raw);
    const scalars = this.#plan.map((update, i) =>
      Object.fromEntries(
        Object.keys(update.scalars).map((name) => [name, stepScalar(() => this.#plan[i]?.scalars[name] ?? Number.NaN)]),
      ),
    );
    optimizer.applyPlan(this.#plan, gradients, scalars);
    average?.apply(stepScalar(() => this.#weight));
    return norm === undefined ? {} : { gradNorm: norm };
  }

  #trace(
    request: StepRequest,
    ahead: number,
    run: (batch: unknown) => StepResult,
    tensors: ReadonlyMap<string, tf.Tensor> = batchTensors(request.batch),
  ): StepTrace {
    return traceStep(this.#traceOptions(request, ahead, run, tensors));
  }

  #traceOptions(
    request: StepRequest,
    ahead: number,
    run: (batch: unknown) => StepResult,
    tensors: ReadonlyMap<string, tf.Tensor>,
  ) {
    const { beginNoise, owners, watch } = this.#options;
    return {
      backend: this.#backend,
      batch: request.batch,
      tensors,
      owners,
      resources: [],
      watch,
      run: (batch: unknown) => {
        beginNoise(ahead);
        try {
          return run(batch);
        } finally {
          beginNoise(0);
        }
      },
    };
  }

  /** A layer that makes its weights at the first call is given a second one. */
  #stayEager(obstacle: Obstacle): undefined {
    if (obstacle.reason.startsWith('it creates a variable') && this.#lateStarts++ === 0) return undefined;
    return this.#turnOff(obstacle);
  }

  #turnOff({ reason, at }: Obstacle): undefined {
    const place = placeOf(at);
    const text = `training_step cannot run as one graph: ${reason}${place === undefined ? '' : ` (${place})`}.`;
    if (this.#options.mode === true)
      throw new EngineError('trainer.compile', `${text} With compile: auto it runs one operation at a time.`, {
        reason,
        place,
      });
    this.#options.say(`${text} It runs one operation at a time, which is slower.`, 'info');
    this.#isOff = true;
    this.dispose();
    return undefined;
  }

  #log(trace: StepTrace, isLogging: boolean, names: readonly string[], tensors: readonly tf.Tensor[]): void {
    if (trace.logged.size === 0) return;
    for (const [key, { value, isAlways }] of trace.logged)
      if (typeof value === 'number' && (isLogging || isAlways)) this.#options.log({ [key]: value });
    names.forEach((name, i) => {
      const tensor = tensors[i];
      if (tensor === undefined) return;
      this.#options.log({ [name.slice('log:'.length)]: tensor });
      tensor.dispose();
    });
  }
}

function logNames({ logged }: StepTrace, isLogging: boolean): string[] {
  if (logged.size === 0) return [];
  return [...logged].flatMap(([name, { value, isAlways }]) =>
    typeof value !== 'number' && (isLogging || isAlways) ? [`log:${name}`] : [],
  );
}

function differs(first: StepTrace, second: StepTrace): Obstacle | undefined {
  const found = difference(first.operations.slice(0, first.stepLength), second.operations.slice(0, second.stepLength));
  if (found !== undefined) return found;
  if (!sameValue(first.loss, second.loss))
    return { reason: 'its loss comes from another operation each time', at: undefined };
  for (const [name, { value }] of second.logged) {
    const before = first.logged.get(name)?.value;
    if (typeof value === 'number' && !Object.is(value, before))
      return {
        reason: `it logs '${name}', a number worked out on the host; log a tensor, or log it in another hook`,
        at: undefined,
      };
  }
  return undefined;
}

const planKeyOf = (plan: readonly PlannedUpdate[]): string =>
  plan.map(({ group, params, scalars }) => `${group}:${params.length}:${Object.keys(scalars).length}`).join();

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

function scalarOf(tensor: tf.Tensor): tf.Scalar {
  if (tensor.rank === 0) return tensor as tf.Scalar;
  throw new Error(`Internal error: a scalar of shape [${tensor.shape}]`);
}
