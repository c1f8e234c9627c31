import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import type { StepForm } from '../../api/training.ts';
import { Mismatch, type Obstacle } from '../../backend/graph/index.ts';
import { Optimizer } from '../../optim/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import { batchTensors } from './batchWatch.ts';
import { type Compiled, samePlan } from './compiled.ts';
import { scalarOf, updateOf } from './compiledUpdate.ts';
import { describeGraph, tellRefusal } from './compileListener.ts';
import type { GraphCounts } from './graphCache.ts';
import { type TensorBackend, tensorBackend } from './nativeTensors.ts';
import { needsHost } from './needsHost.ts';
import { SignatureGraphs, sameHost } from './signatureGraphs.ts';
import { type CurrentNumbers, StepRecorder } from './stepRecorder.ts';
import { type Replayed, replayStep } from './stepReplay.ts';
import type {
  CompiledGradients,
  CompiledUpdate,
  FusedResult,
  StartedStep,
  StepCompilerOptions,
  StepMode,
  StepNumbers,
  StepRequest,
} from './stepRequest.ts';
import { type Prepared, StepRuns } from './stepRuns.ts';
import type { StepTrace } from './stepTrace.ts';
import { checkXla } from './xla.ts';

/** So many changes of what a step read from the host mean that it is to be asked each time. */
const mostChanges = 2;
/** So many steps in a row that each did something of their own mean that all do. */
const mostMomentary = 3;

/** Records training steps and runs them as graphs, one for each signature of the batch. */
export class StepCompiler {
  readonly #options: StepCompilerOptions;
  readonly #backend: TensorBackend;
  readonly #graphs: SignatureGraphs<Compiled>;
  readonly #numbers: CurrentNumbers = { plan: [], weight: 0, unscale: 1 };
  readonly #recorder: StepRecorder;
  readonly runs: StepRuns;
  #mode: StepMode = 'graph';
  #hasRun = false;
  #changes = 0;
  #momentary = 0;
  #lateStarts = 0;
  #prepared: Prepared | undefined;

  constructor(options: StepCompilerOptions, backend: TensorBackend) {
    this.#options = options;
    this.#backend = backend;
    const { mode, say } = options;
    this.#graphs = new SignatureGraphs({ subject: 'training_step', code: 'trainer.compile', mode, say });
    this.#recorder = new StepRecorder(options, backend, this.#numbers, needsHost(options.trainingStepText));
    this.runs = new StepRuns({
      recorder: this.#recorder,
      accumulates: options.accumulates,
      failed: (obstacle) => this.#turnOff(obstacle),
    });
  }

  /** A compiler where there is something to compile for; other backends stay eager without a word. */
  static create(options: StepCompilerOptions): StepCompiler | undefined {
    if (options.mode === false) return undefined;
    const backend = tensorBackend();
    if (options.xla) checkXla(backend?.binding);
    if (backend !== undefined) return new StepCompiler(options, backend);
    if (options.mode === 'auto') return undefined;
    throw new EngineError(
      'trainer.compile',
      'compile: true needs the native TensorFlow backend; with compile: auto other backends run steps one operation at a time.',
      {},
    );
  }

  /** Whether steps that end an accumulation are one run, the update included. */
  get isWhole(): boolean {
    return this.#options.form === 'whole';
  }

  /** Whether steps are tried to be run as graphs at all. */
  get isActive(): boolean {
    return this.#mode !== 'eager';
  }

  /** How steps run, for who watches; undefined before the first graph ran. Why they run operation by operation is in the log. */
  get form(): StepForm | undefined {
    if (this.#mode === 'eager') return 'single-operations';
    if (!this.#hasRun) return undefined;
    return this.#mode === 'host' ? 'graph-beside-script' : 'graph';
  }

  /** For a checkpoint. What is found out anew at the first step is not kept. */
  get mode(): StepMode {
    return this.#mode === 'eager' && !this.#hasRun ? 'graph' : this.#mode;
  }

  get graphCounts(): GraphCounts {
    return this.#graphs.counts;
  }

  /** Goes on as a checkpoint's training did. */
  resume(mode: StepMode, counts?: GraphCounts | null): void {
    const isFresh = this.#graphs.counts.asked === 0;
    if (counts != null && isFresh) this.#graphs.restore(counts);
    if (mode === this.#mode || (mode === 'eager' && this.#options.mode === true)) return;
    if (!isFresh) this.dispose();
    this.#mode = mode;
    this.#hasRun = true;
    if (mode === 'eager')
      this.#options.say('training_step runs one operation at a time, as it did at the checkpoint.', 'info');
  }

  /** The loss of a batch with the weights as they are, nothing changed; undefined when the step is not compiled. */
  loss(request: StepRequest): tf.Scalar | undefined {
    const prepared = this.#prepare(request);
    if (prepared === undefined) return undefined;
    const part = prepared.compiled.step.has('whole') ? 'whole' : 'forward';
    const [loss] = this.runs.run(prepared, part, ['loss'], false) ?? [];
    if (loss !== undefined) this.#hasRun = true;
    return loss === undefined ? undefined : scalarOf(loss);
  }

  /**
   * Forward, backward, clipping, optimizer and averages in one call, which is not waited for where that can be; undefined when
   * the step is to run eagerly.
   */
  fused(request: StepRequest): FusedResult | StartedStep | undefined {
    const { optimizer, average } = this.#options;
    if (!(optimizer instanceof Optimizer)) return undefined;
    const prepared = this.#prepare(request);
    if (prepared === undefined) return undefined;
    if (average !== undefined) this.#numbers.weight = average.nextWeight();
    const logs = logNames(prepared);
    const names = [...(request.isLogging ? ['loss'] : []), ...(request.wantsNorm ? ['gradNorm'] : []), ...logs];
    const { isProven, step } = prepared.compiled;
    const isStarted = isProven && step.canStart;
    const ran = isStarted ? this.runs.start(prepared, names) : this.runs.run(prepared, 'whole', names, true);
    if (ran === undefined) {
      average?.takeBackWeight();
      return undefined;
    }
    optimizer.countStep(this.#numbers.plan);
    const outputs = Array.isArray(ran) ? ran : [];
    const loss = request.isLogging ? outputs.shift() : undefined;
    const norm = request.wantsNorm ? outputs.shift() : undefined;
    this.#finish(prepared, logs, outputs);
    if (Array.isArray(ran)) return { loss: loss && scalarOf(loss), gradNorm: norm && scalarOf(norm) };
    const take = () => {
      const values = step.takeOutputs('whole', ran);
      return values && numbersOf(names, values);
    };
    return { ticket: ran, takeNumbers: names.length > 0 ? take : undefined };
  }

  /** Forward and backward in one call; undefined when the step is to run eagerly. */
  backward(request: StepRequest): CompiledGradients | undefined {
    const prepared = this.#prepare(request);
    if (prepared === undefined) return undefined;
    const { compiled } = prepared;
    const { trace } = compiled.step;
    const holdsState = this.#options.form !== 'gradients';
    const isFlat = this.#options.form === 'flat' && request.isLast;
    const logs = logNames(prepared);
    const parameters = [...trace.gradients.keys()];
    const areTotals = holdsState && this.#options.accumulates && (request.sums.size > 0 || isFlat);
    const changed = holdsState ? [] : [...trace.forwardChanges.keys()];
    const gradientNames = isFlat
      ? ['flat']
      : parameters.map((name) => (areTotals ? `total:${name}` : `gradient:${name}`));
    const names = ['loss', ...gradientNames, ...changed.map((key) => `change:${key}`), ...logs];
    const outputs = this.runs.run(prepared, 'forward', names, holdsState);
    if (outputs === undefined) return undefined;
    const [loss, ...rest] = outputs;
    if (loss === undefined) throw new Error('Internal error: the graph gave no loss');
    const given = rest.splice(0, gradientNames.length);
    changed.forEach((key) => {
      const value = rest.shift();
      if (value === undefined) return;
      trace.variables.get(key)?.assign(value);
      value.dispose();
    });
    this.#finish(prepared, logs, rest);
    return {
      loss: scalarOf(loss),
      gradients: isFlat ? new Map() : new Map(parameters.map((name, i) => [name, given[i] as tf.Tensor])),
      areTotals,
      flat: isFlat ? given[0] : undefined,
      update: request.isLast && holdsState ? this.#updateOf(compiled) : undefined,
    };
  }

  /** Gives the state back and unloads all graphs. */
  dispose(): void {
    this.#prepared = undefined;
    this.#graphs.clear();
  }

  #updateOf({ step, parameters }: Compiled): CompiledUpdate {
    return updateOf({
      ...this.#options,
      step,
      parameters,
      numbers: this.#numbers,
      failed: (obstacle) => this.#turnOff(obstacle),
    });
  }

  /** Finds or makes the graph for a request; for one that was asked for already, the same. */
  #prepare(request: StepRequest): Prepared | undefined {
    if (this.#mode === 'eager') return undefined;
    if (this.#prepared?.request === request) return this.#prepared;
    const tensors = batchTensors(request.batch);
    this.#prepared = this.#find(request, tensors);
    return this.#prepared;
  }

  #find(request: StepRequest, tensors: ReadonlyMap<string, tf.Tensor>): Prepared | undefined {
    const signature = this.#signature(tensors);
    let replayed: Replayed | undefined;
    const found = this.#graphs.find(signature, (entry) => {
      if (!this.#takesSums(request, entry)) return true;
      if (!this.#fitsPlan(entry)) return false;
      if (!entry.isHost) return this.#fitsHost(request, entry);
      const again = this.#replay(request, entry, tensors);
      if (again instanceof Mismatch) return false;
      replayed = again;
      return true;
    });
    if (found !== undefined && !this.#takesSums(request, found)) return undefined;
    if (found !== undefined) {
      this.#momentary = 0;
      found.uses++;
      // what no field shows (a hook's change of a variable of the module, say) shows when the JavaScript runs again
      const isChecked = !found.isHost && (found.uses === 1 || request.index === 0);
      const again = isChecked ? this.#replay(request, found, tensors) : replayed;
      if (!(again instanceof Mismatch)) return { request, compiled: found, tensors, replayed: again };
      this.#mode = 'host';
      this.dispose();
      return this.#compile(request, tensors, signature);
    }
    if (!this.#graphs.mayAdd(signature)) {
      // all of them, for a resumed training, which has no graphs, to go the same way
      this.#mode = 'eager';
      this.dispose();
      return undefined;
    }
    return this.#compile(request, tensors, signature);
  }

  /** Whether the graph goes on with all sums so far: an earlier micro-step may have had gradients of other parameters. */
  #takesSums({ sums }: StepRequest, { parameters }: Compiled): boolean {
    if (this.#options.form === 'gradients' || !this.#options.accumulates) return true;
    for (const name of sums.keys()) if (!parameters.has(name)) return false;
    return true;
  }

  #fitsPlan({ plan, parameters }: Compiled): boolean {
    const { optimizer, form } = this.#options;
    if (!(optimizer instanceof Optimizer) || form === 'gradients') return true;
    this.#numbers.plan = optimizer.planStep(parameters);
    return samePlan(this.#numbers.plan, plan);
  }

  /** Whether the host has what the graph was recorded with. */
  #fitsHost({ batch }: StepRequest, { step }: Compiled): boolean {
    if (sameHost(batch, step)) return true;
    if (++this.#changes > mostChanges && this.#mode === 'graph') this.#mode = 'host';
    return false;
  }

  #replay(request: StepRequest, { step }: Compiled, tensors: ReadonlyMap<string, tf.Tensor>): Replayed | Mismatch {
    const { owners, opaque, watch, trainingStep, random, beginNoise } = this.#options;
    const before = random.state();
    beginNoise(0);
    const replayed = replayStep({
      backend: this.#backend,
      trace: step.trace,
      varying: step.varying,
      tensors,
      owners,
      opaque,
      watch,
      run: () => trainingStep(request.batch as never, request.index),
    });
    if (replayed instanceof Mismatch) random.restore(before);
    return replayed;
  }

  // a layer frozen or freed by a hook changes which gradients there are
  #signature(tensors: ReadonlyMap<string, tf.Tensor>): string {
    let frozen = '';
    for (const { name, variable } of this.#options.parameters) if (!variable.trainable) frozen += ` ${name}`;
    return this.#graphs.signatureOf(tensors) + frozen;
  }

  #compile(request: StepRequest, tensors: ReadonlyMap<string, tf.Tensor>, signature: string): Prepared | undefined {
    const started = performance.now();
    const made = this.#recorder.compile(request, tensors, this.#mode === 'host');
    if ('reason' in made) {
      if (made.isMomentary && ++this.#momentary <= mostMomentary) return undefined;
      return this.#stayEager(made);
    }
    const takesSums = this.#takesSums(request, made);
    const replayed = made.isHost && takesSums ? this.#replay(request, made, tensors) : undefined;
    if (replayed instanceof Mismatch) {
      made.step.dispose();
      return this.#turnOff({ reason: replayed.message, at: replayed });
    }
    if (made.isHost) this.#mode = 'host';
    this.#momentary = 0;
    this.#graphs.add(signature, made);
    this.#options.listener?.compiled(describeGraph(made, signature, performance.now() - started));
    return takesSums ? { request, compiled: made, tensors, replayed } : undefined;
  }

  /** A layer that makes its weights, or a table that it keeps, at the first call is given a second one. */
  #stayEager(obstacle: Obstacle): undefined {
    if (/^it (creates a variable|keeps )/.test(obstacle.reason) && this.#lateStarts++ === 0) return undefined;
    return this.#turnOff(obstacle);
  }

  #turnOff(obstacle: Obstacle): undefined {
    tellRefusal(this.#options.listener, obstacle);
    this.#prepared = undefined;
    this.#mode = 'eager';
    return this.#graphs.giveUp(obstacle);
  }

  /** Passes on what the step logged and printed. */
  #finish(prepared: Prepared, names: readonly string[], tensors: readonly tf.Tensor[]): void {
    const { isLogging } = prepared.request;
    this.#prepared = undefined;
    this.#hasRun = true;
    for (const print of prepared.replayed?.prints ?? []) print();
    for (const [key, { value, isAlways }] of loggedBy(prepared))
      if (typeof value === 'number' && (isLogging || isAlways)) this.#options.log({ [key]: value });
    names.forEach((name, i) => {
      const tensor = tensors[i];
      if (tensor === undefined) return;
      this.#options.log({ [loggedKey(name)]: tensor });
      tensor.dispose();
    });
  }
}

/** `values` in the order of the names, or none. */
function numbersOf(names: readonly string[], values: readonly MetricValue[]): StepNumbers {
  const given = new Map(values.map((value, i) => [names[i] ?? '', value]));
  const numberOf = (name: string): number | undefined => {
    const value = given.get(name);
    given.delete(name);
    if (value instanceof tf.Tensor) throw new Error(`Internal error: a scalar of shape [${value.shape}]`);
    return value;
  };
  const [loss, gradNorm] = [numberOf('loss'), numberOf('gradNorm')];
  return { loss, gradNorm, logged: new Map([...given].map(([name, value]) => [loggedKey(name), value])) };
}

const loggedKey = (name: string): string => name.slice('log:'.length);

function loggedBy({ replayed, compiled }: Prepared): StepTrace['logged'] {
  return replayed?.logged ?? compiled.step.trace.logged;
}

function logNames(prepared: Prepared): string[] {
  const logged = loggedBy(prepared);
  if (logged.size === 0) return [];
  return [...logged].flatMap(([name, { value, isAlways }]) =>
    typeof value !== 'number' && (prepared.request.isLogging || isAlways) ? [`log:${name}`] : [],
  );
}
