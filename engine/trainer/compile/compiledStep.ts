import type * as tf from '@tensorflow/tfjs';
import {
  buildStepGraph,
  type Cell,
  type Constant,
  GraphSession,
  type LateFailure,
  QueuedSession,
  resourceKey,
  type Session,
  type StepGraph,
  type Value,
} from '../../backend/graph/index.ts';
import { nativeSessions } from '../../backend/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import { FedPart, fedInput, isPacked, type StepFeed } from './fedPart.ts';
import { HeldState } from './heldState.ts';
import type { TensorBackend } from './nativeTensors.ts';
import type { StepTrace } from './stepTrace.ts';

/**
 * `forward`: loss, gradients and what the forward pass changes. `update`: from gradients that are fed to new weights.
 * `whole`: both in one run.
 */
export type PartName = 'forward' | 'update' | 'whole';

export interface CompiledStepOptions {
  readonly backend: TensorBackend;
  readonly trace: StepTrace;
  readonly parts: readonly PartName[];
  /**
   * Whether the graph keeps the variables that change, and updates them itself. Otherwise variables are fed and their
   * new values fetched, like the gradients.
   */
  readonly holdsState: boolean;
  /** Constants that the graph is fed with. */
  readonly varying: ReadonlySet<Constant>;
  readonly xla: boolean;
}

/** A recorded step as one TensorFlow graph. */
export class CompiledStep {
  readonly trace: StepTrace;
  readonly graph: StepGraph;
  /** Constants that the graph is fed with. */
  readonly varying: ReadonlySet<Constant>;
  readonly #session: Session;
  readonly #held: HeldState | undefined;
  readonly #parts: ReadonlyMap<PartName, FedPart>;

  /** Throws what TensorFlow says when it refuses the graph. */
  constructor(options: CompiledStepOptions) {
    const { backend, trace, parts, holdsState, varying, xla } = options;
    this.trace = trace;
    this.varying = varying;
    const fed = new Map([...varying].map((constant, i) => [constant, fedInput(constant, i)]));
    const cells = holdsState ? cellsOf(backend, trace) : [];
    const cellKeys = new Set(cells.map(({ key }) => key));
    const plans = parts.map((name) => {
      const operations = operationsOf(trace, name);
      const outputs = outputsOf(trace, name, holdsState);
      return {
        operations,
        outputs,
        // what the forward part made of a variable is in that variable, not in the update's own run
        held: name === 'update' ? new Map([...trace.forwardChanges].map(([cell, value]) => [value, cell])) : new Map(),
        assigns: changesOf(trace, name).flatMap(([cell, value]) => (cellKeys.has(cell) ? [{ cell, value }] : [])),
        ...packedInputs(trace, varying, operations, Object.values(outputs)),
      };
    });
    this.graph = buildStepGraph({
      cells,
      fed,
      xla,
      parts: plans.map(({ scalars, pairs, ...plan }) => ({
        ...plan,
        scalars: scalars.map((item) => (typeof item === 'string' ? item : (fed.get(item)?.key ?? ''))),
        pairs,
      })),
    });
    // where gradients are looked at in between, somebody waits for each run: another thread would only have to be woken up
    const native = holdsState && parts.includes('whole') ? nativeSessions(backend.binding) : undefined;
    this.#session =
      native === undefined
        ? new GraphSession(backend.binding, this.graph.nodes)
        : new QueuedSession(backend.binding, native, this.graph.nodes);
    this.#parts = new Map(
      parts.flatMap((name, i) => {
        const [graph, plan] = [this.graph.parts[i], plans[i]];
        if (graph === undefined || plan === undefined) return [];
        return [[name, new FedPart({ backend, session: this.#session, trace, graph, fed, ...plan })]];
      }),
    );
    if (!holdsState) return;
    this.#held = new HeldState({
      backend,
      session: this.#session,
      graph: this.graph,
      variables: new Map([...trace.variables].filter(([key]) => cellKeys.has(key))),
      resources: trace.resources.filter(({ key }) => cellKeys.has(key)),
    });
  }

  get partNames(): readonly PartName[] {
    return [...this.#parts.keys()];
  }

  has(part: PartName): boolean {
    return this.#parts.has(part);
  }

  /** Runs a part; gives the tensors asked for, the caller's to dispose. With `updates` the state changes too. */
  run(part: PartName, feed: StepFeed, names: readonly string[], updates: boolean): tf.Tensor[] {
    this.#held?.take();
    return this.#part(part).run(feed, names, updates);
  }

  /** Whether runs can be started without waiting for them. */
  get canStart(): boolean {
    return this.#session instanceof QueuedSession;
  }

  /**
   * Runs a part soon, with a change of the state; gives the number of the run, by which what is asked for can be taken later.
   * Throws `LateFailure` of an earlier one.
   */
  start(part: PartName, feed: StepFeed, names: readonly string[]): number {
    this.#held?.take();
    return this.#part(part).start(this.#queued, feed, names);
  }

  /**
   * What a started run was asked for, tensors the caller's to dispose. Undefined as long as it has not ended, empty where it
   * failed or an earlier one had. Once, and in the order of the runs.
   */
  takeOutputs(part: PartName, ticket: number): MetricValue[] | undefined {
    return this.#part(part).takeOutputs(this.#queued, ticket);
  }

  /** Waits for what was started. Throws `LateFailure`. */
  settle(): void {
    if (this.#session instanceof QueuedSession) this.#session.settle();
  }

  /** The tensors of the batch by path that a failed run of a part was fed with, the caller's to dispose. */
  batchOf(part: PartName, failure: LateFailure): Map<string, tf.Tensor> {
    return this.#part(part).batchOf(failure);
  }

  get #queued(): QueuedSession {
    if (!(this.#session instanceof QueuedSession)) throw new Error('Internal error: runs of this graph are waited for');
    return this.#session;
  }

  #part(name: PartName): FedPart {
    const part = this.#parts.get(name);
    if (part === undefined) throw new Error(`Internal error: the graph has no part '${name}'`);
    return part;
  }

  /** Gives the state back and unloads the graph. */
  dispose(): void {
    this.#held?.giveBack();
    this.#session.dispose();
  }
}

function operationsOf({ operations, forwardEnd }: StepTrace, part: PartName) {
  if (part === 'forward') return operations.slice(0, forwardEnd);
  return part === 'update' ? operations.slice(forwardEnd) : operations;
}

function changesOf({ changes, forwardChanges }: StepTrace, part: PartName): (readonly [string, Value])[] {
  if (part === 'forward') return [...forwardChanges];
  return part === 'whole' ? [...changes] : [...changes].filter(([key, value]) => forwardChanges.get(key) !== value);
}

function outputsOf(trace: StepTrace, part: PartName, holdsState: boolean): Record<string, Value> {
  const outputs: Record<string, Value> = {};
  if (part !== 'forward') for (const [name, value] of trace.outputs) outputs[name] = value;
  if (part === 'update') return outputs;
  outputs.loss = trace.loss;
  for (const [name, { value }] of trace.logged) if (typeof value !== 'number') outputs[`log:${name}`] = value;
  if (part === 'whole') return outputs;
  for (const [name, value] of trace.gradients) outputs[`gradient:${name}`] = value;
  for (const [name, value] of trace.totals) outputs[`total:${name}`] = value;
  if (trace.flat !== undefined) outputs.flat = trace.flat;
  if (!holdsState) for (const [key, value] of trace.forwardChanges) outputs[`change:${key}`] = value;
  return outputs;
}

/** Numbers and pairs of the host's that a part needs, which travel together. */
function packedInputs(
  { inputs }: StepTrace,
  varying: ReadonlySet<Constant>,
  operations: StepTrace['operations'],
  outputs: readonly Value[],
) {
  const values = new Set<Value>(outputs);
  for (const operation of operations) for (const input of operation.inputs) values.add(input);
  const keys = new Set([...values].flatMap((value) => (value.kind === 'input' ? [value.key] : [])));
  const used = [...inputs].filter(([key]) => keys.has(key));
  const ofKind = (wanted: string) => used.flatMap(([key, { kind }]) => (kind === wanted ? [key] : []));
  const constants = [...varying].filter((constant) => isPacked(constant) && values.has(constant));
  return { scalars: [...ofKind('scalar'), ...constants] as (string | Constant)[], pairs: ofKind('pair') };
}

/** Every variable that the step reads or changes, and every one of TensorFlow's own that its update works on. */
function cellsOf(backend: TensorBackend, trace: StepTrace): Cell[] {
  const used = new Set([...trace.changes.keys()]);
  for (const { inputs } of trace.operations)
    for (const input of inputs) if (input.kind === 'input') used.add(input.key);
  const cells = new Map<string, Cell>();
  for (const [key, variable] of trace.variables)
    if (used.has(key) || used.has(resourceKey(key)))
      cells.set(key, { key, dtype: backend.getDTypeInteger(variable.dtype), shape: variable.shape });
  for (const { key, resource } of trace.resources)
    if (used.has(resourceKey(key)) && !cells.has(key))
      cells.set(key, { key, dtype: backend.getDTypeInteger('float32'), shape: resource.resource.shape });
  return [...cells.values()];
}
