import * as tf from '@tensorflow/tfjs';
import { type Obstacle, type Operation, Recorder, resourceKey, type Value } from '../../backend/graph/index.ts';
import type { OptimizerResource } from '../../optim/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import type { StepResult } from '../loop/eagerStep.ts';
import { listenToStepInputs, type StepInput } from '../model/stepInputs.ts';
import { type Glance, watchBatch } from './batchWatch.ts';
import { FieldWatch } from './fieldWatch.ts';
import { handleOf, type TensorBackend } from './nativeTensors.ts';

export interface TraceOptions {
  readonly backend: TensorBackend;
  readonly batch: unknown;
  /** By path in the batch. */
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  /** Objects whose fields the step must leave alone. */
  readonly owners: readonly { readonly owner: object; readonly label: string }[];
  /** TensorFlow's own variables that the update works on. */
  readonly resources: readonly OptimizerResource[];
  /** Hooks into the trainer while the step runs. */
  readonly watch: (sink: TraceSink | undefined) => void;
  /** Forward and backward. */
  readonly run: (batch: unknown) => StepResult;
  /** What follows with the gradients, where it belongs into the graph; gives further outputs by name. */
  readonly update?: ((gradients: ReadonlyMap<string, tf.Tensor>) => Readonly<Record<string, tf.Tensor>>) | undefined;
}

/** What the trainer tells about the step that runs while it is recorded. */
export interface TraceSink {
  log(values: Readonly<Record<string, MetricValue>>, isAlways: boolean): void;
  refuse(reason: string): void;
}

export interface StepTrace {
  readonly operations: readonly Operation[];
  /** How many of them are the step's own, before the update. */
  readonly stepLength: number;
  readonly obstacle: Obstacle | undefined;
  /** The loss may be undefined where the step was not recorded to its end. */
  readonly loss: Value;
  readonly gradients: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** Variables by the keys that operations name them with. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  readonly resources: readonly { readonly key: string; readonly resource: OptimizerResource }[];
  /** New values of variables, by key. */
  readonly changes: ReadonlyMap<string, Value>;
  readonly inputs: ReadonlyMap<string, StepInput>;
  readonly logged: ReadonlyMap<string, { readonly value: Value | number; readonly isAlways: boolean }>;
  readonly glances: readonly Glance[];
}

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
  const watch = new FieldWatch(options.owners);
  let trace: Omit<StepTrace, 'obstacle'>;
  const { numTensors } = tf.memory();
  tf.engine().startScope('recording');
  try {
    trace = record(options, recorder, registered, before, named);
  } finally {
    tf.engine().endScope();
    const kept = tf.memory().numTensors - numTensors;
    if (kept > 0) recorder.refuse(`it keeps ${kept === 1 ? 'a tensor' : `${kept} tensors`} beyond its end`);
    for (const [variable, value] of before) {
      if (variable.dataId !== value.dataId) variable.assign(value);
      value.dispose();
    }
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables))
      if (!registered.has(name)) recorder.refuse(`it creates a variable ('${variable.name}')`);
    const changed = watch.restore();
    if (changed !== undefined) recorder.refuse(`it changes ${changed}, which a graph would not do again`);
  }
  return { ...trace, obstacle: recorder.finish().obstacle };
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
  const logged = new Map<string, { readonly value: Value | number; readonly isAlways: boolean }>();
  const origin = (tensor: tf.Tensor): Value => recorder.valueOf(handleOf(backend, tensor));
  const sink: TraceSink = {
    log: (values, isAlways) => {
      for (const [key, value] of Object.entries(values))
        logged.set(key, { value: typeof value === 'number' ? value : origin(value), isAlways });
    },
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
      const result = watching(watch, sink, () => options.run(watchBatch(options.batch, glances)));
      const loss = origin(result.loss);
      const gradients = new Map([...result.gradients].map(([name, tensor]) => [name, origin(tensor)]));
      const stepLength = recorder.finish().operations.length;
      const further = options.update?.(result.gradients) ?? {};
      const outputs = new Map(Object.entries(further).map(([name, tensor]) => [name, origin(tensor)]));
      const changes = new Map<string, Value>();
      for (const [variable, value] of before)
        if (variable.dataId !== value.dataId) changes.set(variableKey(variable), origin(variable));
      result.loss.dispose();
      for (const gradient of result.gradients.values()) gradient.dispose();
      for (const tensor of Object.values(further)) tensor.dispose();
      return {
        operations: recorder.finish().operations,
        stepLength,
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

function watching<T>(watch: TraceOptions['watch'], sink: TraceSink, work: () => T): T {
  watch(sink);
  try {
    return work();
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
