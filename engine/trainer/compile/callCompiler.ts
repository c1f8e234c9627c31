import * as tf from '@tensorflow/tfjs';
import { type Obstacle, sameValue } from '../../backend/graph/index.ts';
import { isPlainObject } from '../../data/index.ts';
import type { AnyModule } from '../model/module.ts';
import type { CompileMode } from '../settingSections.ts';
import { batchTensors } from './batchWatch.ts';
import { impureDifference, impureWork } from './compareTraces.ts';
import { CompiledStep } from './compiledStep.ts';
import { rootsOf } from './hostWatch.ts';
import type { TensorBackend } from './nativeTensors.ts';
import { onAnother } from './rolledBatch.ts';
import { failedGraph, refusedGraph, SignatureGraphs, sameHost } from './signatureGraphs.ts';
import { type StepTrace, traceStep } from './stepTrace.ts';

/** A model in the eyes of its callers. */
export interface CallableModel extends Pick<AnyModule, 'namedModules'> {
  call(...inputs: never[]): unknown;
}

export interface CallCompilerOptions {
  readonly backend: TensorBackend;
  /** With `true` a call that cannot be compiled is an error. */
  readonly mode: Exclude<CompileMode, false>;
  /** Whether XLA compiles the graphs' clusters. */
  readonly xla: boolean;
  /** Told once when calls stay or become eager: why, and the user's line. */
  readonly say: (text: string) => void;
}

type Call = (...inputs: unknown[]) => unknown;

interface CompiledCall {
  readonly step: CompiledStep;
  readonly rebuild: Rebuild;
}

/** What a call gives again, with other tensors. */
type Rebuild = (tensors: readonly tf.Tensor[]) => unknown;

interface Rehearsed {
  readonly trace: StepTrace;
  readonly rebuild: Rebuild | undefined;
}

/** Signatures that were met once are remembered up to here. */
const mostSignatures = 1000;

/**
 * Runs a model's `call` as graphs, one for each form of its inputs: the second call of a form is recorded, so that one
 * that comes once costs nothing. Weights are fed as they are at each call. A call that does anything else than
 * computing tensors from its inputs stays as it is.
 */
export class CallCompiler {
  readonly #model: CallableModel;
  readonly #call: Call;
  readonly #ownCall: PropertyDescriptor | undefined;
  readonly #options: CallCompilerOptions;
  readonly #graphs: SignatureGraphs<CompiledCall>;
  readonly #met = new Set<string>();
  #isInside = false;
  #made = 0;

  /** Puts itself before the model's `call`, until `dispose`. */
  constructor(model: CallableModel, options: CallCompilerOptions) {
    this.#model = model;
    this.#options = options;
    const { mode, say } = options;
    this.#graphs = new SignatureGraphs({
      subject: `${model.constructor.name}.call`,
      code: 'inference.compile',
      mode,
      say,
    });
    const { call } = model;
    this.#call = (...inputs) => Reflect.apply(call, model, inputs);
    this.#ownCall = Object.getOwnPropertyDescriptor(model, 'call');
    // not enumerable: it is no field of the model's
    Object.defineProperty(model, 'call', {
      configurable: true,
      writable: true,
      value: (...inputs: unknown[]) => this.#run(inputs),
    });
  }

  /** How many graphs were made. */
  get graphs(): number {
    return this.#made;
  }

  dispose(): void {
    this.#graphs.end();
    Reflect.deleteProperty(this.#model, 'call');
    if (this.#ownCall !== undefined) Object.defineProperty(this.#model, 'call', this.#ownCall);
  }

  #run(inputs: readonly unknown[]): unknown {
    const { gradientDepth } = tf.engine().state;
    if (this.#graphs.isOff || this.#isInside || gradientDepth > 0) return this.#call(...inputs);
    const tensors = batchTensors(inputs);
    if (tensors.size === 0) return this.#call(...inputs);
    const compiled = this.#find(inputs, tensors);
    if (compiled === undefined) return this.#inside(() => this.#call(...inputs));
    const { step, rebuild } = compiled;
    let outputs: tf.Tensor[];
    try {
      outputs = step.run('whole', { batch: tensors }, namesOf(step.trace), false);
    } catch (error) {
      // an error of the model's own comes from here, with its own stack
      const result = this.#inside(() => this.#call(...inputs));
      this.#graphs.giveUp(failedGraph('its graph', error));
      return result;
    }
    return rebuild(outputs);
  }

  #find(inputs: readonly unknown[], tensors: ReadonlyMap<string, tf.Tensor>): CompiledCall | undefined {
    const signature = this.#graphs.signatureOf(tensors) + sharedAmong([...tensors.values()]);
    const found = this.#graphs.find(signature, ({ step }) => sameHost(inputs, step));
    if (found !== undefined) return found;
    if (!this.#met.has(signature)) {
      if (this.#met.size >= mostSignatures) this.#met.clear();
      this.#met.add(signature);
      return undefined;
    }
    if (!this.#graphs.mayAdd(signature)) return undefined;
    return this.#inside(() => this.#compile(inputs, tensors, signature));
  }

  #compile(
    inputs: readonly unknown[],
    tensors: ReadonlyMap<string, tf.Tensor>,
    signature: string,
  ): CompiledCall | undefined {
    const { backend, xla } = this.#options;
    const first = onAnother(inputs, (other, others) => this.#rehearse(other, others));
    const obstacle = obstacleOf(first);
    if (obstacle !== undefined) return this.#graphs.giveUp(obstacle);
    const second = this.#rehearse(inputs, tensors);
    const { trace, rebuild } = second;
    const difference = obstacleOf(second) ?? differenceOf(first.trace, trace);
    if (difference !== undefined) return this.#graphs.giveUp(difference);
    if (rebuild === undefined) return undefined;
    try {
      const step = new CompiledStep({
        backend,
        trace,
        xla,
        parts: ['whole'],
        holdsState: false,
        varying: new Set(),
      });
      this.#made++;
      return this.#graphs.add(signature, { step, rebuild });
    } catch (error) {
      return this.#graphs.giveUp(refusedGraph(error));
    }
  }

  #rehearse(inputs: unknown, tensors: ReadonlyMap<string, tf.Tensor>): Rehearsed {
    let rebuild: Rebuild | undefined;
    let outputs: readonly tf.Tensor[] = [];
    const trace = traceStep({
      backend: this.#options.backend,
      batch: inputs,
      tensors,
      owners: rootsOf(this.#model, 'this'),
      opaque: new Set(),
      resources: [],
      watch: () => undefined,
      ahead: 0,
      run: (seen, forwardDone) => {
        tf.tidy(() => {
          const given = this.#call(...(Array.isArray(seen) ? (seen as unknown[]) : []));
          outputs = [...batchTensors([given]).values()].map((tensor) => tf.keep(tensor.clone()));
          rebuild = rebuilding(given);
        });
        forwardDone();
        return { loss: tf.scalar(0), gradients: new Map() };
      },
      update: () => Object.fromEntries(outputs.map((tensor, i) => [outputName(i), tensor])),
    });
    return { trace, rebuild };
  }

  #inside<T>(work: () => T): T {
    this.#isInside = true;
    try {
      return work();
    } finally {
      this.#isInside = false;
    }
  }
}

/** Why something that was recorded is no graph of tensors from its inputs. */
function obstacleOf({ trace, rebuild }: Rehearsed): Obstacle | undefined {
  const work = impureWork(trace);
  if (work !== undefined) return work;
  if (trace.inputs.size > 0) return { reason: 'it draws noise, other in each call', at: undefined };
  if (rebuild === undefined) return { reason: 'it gives something else than tensors', at: undefined };
  return undefined;
}

function differenceOf(first: StepTrace, second: StepTrace): Obstacle | undefined {
  const difference = impureDifference(first, second);
  if (difference !== undefined) return difference;
  for (const [name, value] of first.outputs) {
    const other = second.outputs.get(name);
    if (other === undefined || !sameValue(value, other))
      return { reason: 'what it gives comes from another operation each time', at: undefined };
  }
  return undefined;
}

const outputName = (index: number): string => `output:${index}`;

const namesOf = ({ outputs }: StepTrace): readonly string[] => [...outputs.keys()];

/** Which of the inputs are one and the same tensor: a graph of two that are takes no two that are not. */
function sharedAmong(tensors: readonly tf.Tensor[]): string {
  if (tensors.length < 2) return '';
  return tensors.map(({ dataId }) => tensors.findIndex((other) => other.dataId === dataId)).join();
}

/** Undefined for anything but a tensor, or lists and objects of them. */
function rebuilding(given: unknown): Rebuild | undefined {
  if (given instanceof tf.Tensor) return ([tensor]) => tensor;
  const isList = Array.isArray(given);
  if (!isList && !isPlainObject(given)) return undefined;
  const keys = Object.keys(given);
  const items: unknown[] = Object.values(given);
  if (items.length === 0 || !items.every((item) => item instanceof tf.Tensor)) return undefined;
  if (isList) return (tensors) => [...tensors];
  return (tensors) => Object.fromEntries(keys.map((key, i) => [key, tensors[i]]));
}
