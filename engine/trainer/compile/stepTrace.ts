import * as tf from '@tensorflow/tfjs';
import { type Obstacle, type Operation, Recorder, resourceKey, type Value } from '../../backend/graph/index.ts';
import type { OptimizerResource } from '../../optim/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import type { StepResult } from '../loop/eagerStep.ts';
import { listenToStepInputs, type StepInput } from '../model/stepInputs.ts';
import { type Glance, watchBatch } from './batchWatch.ts';
import { hearConsole } from './consoleWatch.ts';
import { type HostRead, type HostRoot, HostWatch } from './hostWatch.ts';
import { freeWhenUnreachable, type Lasting, seeingLasting } from './lastingTensors.ts';
import { handleOf, type TensorBackend } from './nativeTensors.ts';

export interface TraceOptions {
  readonly backend: TensorBackend;
  readonly batch: unknown;
  /** By path in the batch. */
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  /** Objects whose fields the step may read and change. */
  readonly owners: readonly HostRoot[];
  /** Objects that are not looked into. */
  readonly opaque: ReadonlySet<unknown>;
  /** TensorFlow's own variables that the update works on. */
  readonly resources: readonly OptimizerResource[];
  /** Hooks into the trainer while the step runs. */
  readonly watch: (sink: TraceSink | undefined) => void;
  /** How many steps after the current one the recorded one is said to be. */
  readonly ahead: number;
  /** Forward and backward; `forwardDone` is to be called between them. */
  readonly run: (batch: unknown, forwardDone: () => void) => StepResult;
  /** Whether gradients are added to those of earlier micro-steps. */
  readonly accumulates?: boolean;
  /** Where the update works with gradients that come from outside: as they are, or all in one vector. */
  readonly cut?: 'gradients' | 'flat' | undefined;
  /** What follows with the gradients, where it belongs into the graph; gives further outputs by name. */
  readonly update?: ((gradients: ReadonlyMap<string, tf.Tensor>) => Readonly<Record<string, tf.Tensor>>) | undefined;
}

/** What the trainer tells about the step that runs while it is recorded. */
export interface TraceSink {
  readonly ahead: number;
  log(values: Readonly<Record<string, MetricValue>>, isAlways: boolean): void;
  /** In validation_step: means of these are wanted; `count` where the step says it. */
  accumulate(values: Readonly<Record<string, MetricValue>>, count: number | undefined): void;
  print(print: () => void): void;
  /** It looks at something of the host's that is another in each step: its JavaScript has to run each time. */
  looks(at: string): void;
  /** It does something that cannot be recorded. */
  refuse(reason: string): void;
}

/** Something that is only right when the step's JavaScript runs each time, and where. */
export interface HostWork {
  readonly reason: string;
  readonly at: Error | undefined;
}

export interface Logged {
  readonly value: Value | number;
  readonly isAlways: boolean;
  /** Samples that an accumulated value counts for, where the step says it. */
  readonly count?: number | undefined;
}

export interface StepTrace {
  readonly operations: readonly Operation[];
  /** How many of them training_step itself ran. */
  readonly forwardLength: number;
  /** How many of them are the step's own. */
  readonly stepLength: number;
  /** How many come before the update. */
  readonly forwardEnd: number;
  /** The first sign that the step's JavaScript does more than calling TensorFlow. */
  readonly hostWork: HostWork | undefined;
  /** What it read from fields. */
  readonly reads: readonly HostRead[];
  readonly obstacle: Obstacle | undefined;
  /** The loss may be undefined where the step was not recorded to its end. */
  readonly loss: Value;
  readonly gradients: ReadonlyMap<string, Value>;
  /** With those of earlier micro-steps, where they are accumulated. */
  readonly totals: ReadonlyMap<string, Value>;
  /** All totals as one vector, where the update works with that. */
  readonly flat: Value | undefined;
  /** What the update gives. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** Variables by the keys that operations name them with. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  readonly resources: readonly { readonly key: string; readonly resource: OptimizerResource }[];
  /** New values of variables, by key; `forwardChanges` before the update. */
  readonly changes: ReadonlyMap<string, Value>;
  readonly forwardChanges: ReadonlyMap<string, Value>;
  readonly inputs: ReadonlyMap<string, StepInput>;
  readonly logged: ReadonlyMap<string, Logged>;
  readonly glances: readonly Glance[];
}

/** Keys of what a graph is fed with beside the batch. */
export const sumKey = (name: string): string => `sum:${name}`;
export const reducedKey = (name: string): string => `reduced:${name}`;
export const flatKey = 'flat';

const variableKey = (variable: tf.Variable): string => `variable:${variable.name}`;

/**
 * Runs a step while writing down its operations, then puts everything back that it changed: variables, fields,
 * TensorFlow's own variables. Throws what the step throws, with nothing changed.
 */
export function traceStep(options: TraceOptions): StepTrace {
  const { backend, tensors, resources } = options;
  const registered = new Map(Object.entries(tf.engine().registeredVariables));
  const keys = nameVariables(backend, registered.values());
  const before = new Map([...registered.values()].map((variable) => [variable, tf.keep(variable.clone())]));
  const recorder = new Recorder(backend, { identify: (id) => keys.get(id) });
  for (const [path, tensor] of tensors) {
    const id = handleOf(backend, tensor);
    recorder.declare(id, { key: `batch:${path}`, dtype: backend.getDTypeInteger(tensor.dtype), shape: tensor.shape });
  }
  const named = nameResources(resources);
  for (const { key, resource } of named) declareResource(backend, recorder, key, resource);
  let trace: Omit<StepTrace, 'obstacle'>;
  let lasting: Lasting | undefined;
  const { numTensors } = tf.memory();
  tf.engine().startScope('recording');
  try {
    trace = seeingLasting(
      () => record(options, recorder, registered, before, named),
      (seen) => {
        lasting = seen;
        for (const tensor of seen.kept.keys()) freeWhenUnreachable(tensor);
        for (const at of seen.spared.values()) recorder.refuse('it frees a tensor that was there before it', at);
      },
    );
  } catch (error) {
    freeTape();
    throw error;
  } finally {
    tf.engine().endScope();
    const created = Object.entries(tf.engine().registeredVariables).filter(([name]) => !registered.has(name));
    for (const [, variable] of created)
      recorder.refuse(`it creates a variable ('${variable.name}')`, lasting?.variables.get(variable));
    const kept = tf.memory().numTensors - numTensors - created.length;
    const [keptAt] = lasting?.kept.values() ?? [];
    if (kept > 0) recorder.refuse(`it keeps ${kept === 1 ? 'a tensor' : `${kept} tensors`} beyond its end`, keptAt);
    for (const [variable, value] of before) {
      if (variable.dataId !== value.dataId) variable.assign(value);
      value.dispose();
    }
  }
  return { ...trace, obstacle: recorder.finish().obstacle };
}

/** Frees what was saved for gradients that nobody will take. */
export function freeTape(): void {
  const { state } = tf.engine();
  for (const { saved } of state.activeTape ?? [])
    for (const tensor of saved ?? []) if (!tensor.isDisposed) tensor.dispose();
  state.activeTape = [];
}

/** The keys of variables by their handles. Two that share a value (an average that begins, say) get one each. */
function nameVariables(backend: TensorBackend, variables: Iterable<tf.Variable>): ReadonlyMap<number, string> {
  const keys = new Map<number, string>();
  for (const variable of variables) {
    let id = handleOf(backend, variable);
    const [own] = keys.has(id) ? backend.binding.executeOp('Identity', [], [id], 1) : [];
    if (own !== undefined) {
      const value = backend.createOutputTensor(own);
      variable.assign(value);
      value.dispose();
      id = own.id;
    }
    keys.set(id, variableKey(variable));
  }
  return keys;
}

function record(
  options: TraceOptions,
  recorder: Recorder,
  registered: ReadonlyMap<string, tf.Variable>,
  before: ReadonlyMap<tf.Variable, tf.Tensor>,
  resources: StepTrace['resources'],
): Omit<StepTrace, 'obstacle'> {
  const { backend, watch } = options;
  const inputs = new Map<string, StepInput>();
  const glances = new Map<string, Glance>();
  const logged = new Map<string, Logged>();
  const origin = (tensor: tf.Tensor): Value => recorder.valueOf(handleOf(backend, tensor));
  let hostWork: HostWork | undefined;
  const looks = (at: string): void => {
    hostWork ??= { reason: `it looks at ${at}`, at: new Error('here') };
  };
  const sink: TraceSink = {
    ahead: options.ahead,
    log: (values, isAlways) => {
      for (const [key, value] of Object.entries(values)) {
        if (typeof value === 'number') looks(`'${key}', a number that it logs`);
        logged.set(key, { value: typeof value === 'number' ? value : origin(value), isAlways });
      }
    },
    accumulate: (values, count) => {
      for (const [key, value] of Object.entries(values)) {
        if (logged.has(key)) recorder.refuse(`it accumulates '${key}' more than once`, new Error('here'));
        if (typeof value === 'number') looks(`'${key}', a number that it accumulates`);
        const recorded = typeof value === 'number' ? value : origin(meanOf(value));
        logged.set(key, { value: recorded, isAlways: false, count });
      }
    },
    print: () => {
      hostWork ??= { reason: 'it prints', at: new Error('here') };
    },
    looks,
    refuse: (reason) => recorder.refuse(reason, new Error('here')),
  };
  const onInput = (input: StepInput, tensor: tf.Tensor): void => {
    const key = `${input.kind}:${inputs.size}`;
    inputs.set(key, input);
    recorder.declare(handleOf(backend, tensor), {
      key,
      dtype: backend.getDTypeInteger(tensor.dtype),
      shape: tensor.shape,
    });
  };
  return recorder.record(() =>
    listenToStepInputs(onInput, () => {
      let forwardLength = 0;
      const fields = new HostWatch(options.owners, options.opaque);
      let reads: readonly HostRead[] = [];
      let result: StepResult;
      try {
        result = watching(watch, sink, () =>
          options.run(watchBatch(options.batch, glances), () => {
            forwardLength = recorder.finish().operations.length;
          }),
        );
      } finally {
        reads = fields.reads;
        const changed = fields.changed();
        fields.stop('back');
        if (changed?.holdsTensor === true)
          recorder.refuse(`it changes ${changed.label}, where it keeps a tensor, which a graph would not do again`);
        if (changed !== undefined) hostWork ??= { reason: `it changes ${changed.label}`, at: undefined };
      }
      const loss = origin(result.loss);
      const gradients = new Map([...result.gradients].map(([name, tensor]) => [name, origin(tensor)]));
      const stepLength = recorder.finish().operations.length;
      const changesSoFar = () =>
        new Map(
          [...before].flatMap(([variable, value]) =>
            variable.dataId === value.dataId ? [] : [[variableKey(variable), origin(variable)] as const],
          ),
        );
      const declare = (tensor: tf.Tensor, key: string): tf.Tensor => {
        const dtype = backend.getDTypeInteger(tensor.dtype);
        recorder.declare(handleOf(backend, tensor), { key, dtype, shape: tensor.shape });
        return tensor;
      };
      const totals = options.accumulates === true ? addSums(result.gradients, declare) : result.gradients;
      const totalValues = new Map([...totals].map(([name, tensor]) => [name, origin(tensor)]));
      const flat = options.cut === 'flat' ? origin(flattened(totals)) : undefined;
      const forwardChanges = changesSoFar();
      const forwardEnd = recorder.finish().operations.length;
      const further = options.update?.(entering(totals, options.cut, declare)) ?? {};
      const outputs = new Map(Object.entries(further).map(([name, tensor]) => [name, origin(tensor)]));
      const changes = changesSoFar();
      result.loss.dispose();
      for (const gradient of result.gradients.values()) gradient.dispose();
      for (const tensor of Object.values(further)) tensor.dispose();
      return {
        operations: recorder.finish().operations,
        forwardLength,
        stepLength,
        forwardEnd,
        totals: totalValues,
        flat,
        forwardChanges,
        hostWork,
        reads,
        loss,
        gradients,
        outputs,
        variables: new Map([...registered.values()].map((variable) => [variableKey(variable), variable])),
        resources,
        changes,
        inputs,
        logged,
        glances: [...glances.values()],
      };
    }),
  );
}

type Declare = (tensor: tf.Tensor, key: string) => tf.Tensor;

function addSums(gradients: ReadonlyMap<string, tf.Tensor>, declare: Declare): Map<string, tf.Tensor> {
  return new Map(
    [...gradients].map(([name, gradient]) => [name, tf.add(declare(tf.zerosLike(gradient), sumKey(name)), gradient)]),
  );
}

/** One vector of gradients, in their order. */
function flattened(gradients: ReadonlyMap<string, tf.Tensor>): tf.Tensor {
  return tf.concat([...gradients.values()].map((gradient) => gradient.reshape([-1]).as1D()));
}

/** What the update begins with: the gradients themselves, or tensors in their place that will be fed. */
function entering(
  totals: ReadonlyMap<string, tf.Tensor>,
  cut: TraceOptions['cut'],
  declare: Declare,
): ReadonlyMap<string, tf.Tensor> {
  if (cut === undefined) return totals;
  if (cut === 'gradients')
    return new Map([...totals].map(([name, total]) => [name, declare(tf.zerosLike(total), reducedKey(name))]));
  const sizes = [...totals.values()].map(({ size }) => size);
  const flat = declare(tf.zeros([sizes.reduce((sum, size) => sum + size, 0)]), flatKey);
  const parts = tf.split(flat, sizes);
  return new Map([...totals].map(([name, { shape }], i) => [name, tf.reshape(parts[i] ?? flat, shape)]));
}

/** What is accumulated of a value: its mean, a float32 scalar. */
export function meanOf(value: tf.Tensor): tf.Scalar {
  return tf.mean<tf.Scalar>(value.toFloat());
}

/** Runs a step with somebody hearing what it tells the trainer and the console. */
export function watching<T>(watch: TraceOptions['watch'], sink: TraceSink, work: () => T): T {
  watch(sink);
  try {
    return hearConsole((print) => sink.print(print), work);
  } finally {
    watch(undefined);
  }
}

function nameResources(resources: readonly OptimizerResource[]): StepTrace['resources'] {
  return resources.map((resource, i) => ({
    key: resource.mirrors === undefined ? `slot:${i}` : variableKey(resource.mirrors),
    resource,
  }));
}

function declareResource(backend: TensorBackend, recorder: Recorder, key: string, resource: OptimizerResource): void {
  const standIn = resource.mirrors ?? resource.resource.read();
  recorder.declareHandle(
    handleOf(backend, resource.resource.handle),
    { key: resourceKey(key), shape: resource.resource.shape },
    handleOf(backend, standIn),
  );
  if (resource.mirrors === undefined) standIn.dispose();
}
