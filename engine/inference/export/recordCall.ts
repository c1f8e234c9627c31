import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { type Input, type Operation, Recorder, type Value } from '../../backend/graph/index.ts';
import { handleOf, type TensorBackend } from '../../trainer/compile/nativeTensors.ts';
import { placeOf } from '../../trainer/compile/placeOf.ts';
import type { LoadableModel } from '../loadModel.ts';
import { nameOf } from '../modelContract.ts';

/** One call of a model, written down. */
export interface RecordedCall {
  readonly input: Input;
  readonly operations: readonly Operation[];
  readonly outputs: ReadonlyMap<string, Value>;
  /** What the call gave; the caller's to dispose. */
  readonly results: ReadonlyMap<string, tf.Tensor>;
}

/**
 * Calls the model while its operations are written down. The batch is the input `input`; weights and whatever else was
 * there before are inputs `tensor:HANDLE`. Throws what the model throws, and 'export.not-a-graph' with the line of code
 * where the call does what no graph can.
 */
export function recordCall(backend: TensorBackend, model: LoadableModel, batch: tf.Tensor): RecordedCall {
  const recorder = new Recorder(backend, { identify: () => undefined });
  const dtype = backend.getDTypeInteger(batch.dtype);
  const input: Input = { kind: 'input', key: 'input', dtype, shape: batch.shape };
  recorder.declare(handleOf(backend, batch), input);
  const results = recorder.record(() => new Map(Object.entries(tf.tidy(() => callModel(model, batch)))));
  const outputs = new Map([...results].map(([name, tensor]) => [name, recorder.valueOf(handleOf(backend, tensor))]));
  const { operations, obstacle } = recorder.finish();
  if (obstacle === undefined) return { input, operations, outputs, results };
  tf.dispose([...results.values()]);
  const place = placeOf(obstacle.at);
  throw new EngineError(
    'export.not-a-graph',
    `${nameOf(model)} cannot be exported as a graph: ${obstacle.reason}${place === undefined ? '' : ` (${place})`}.`,
    { reason: obstacle.reason, place },
  );
}

/** A tensor is `output`; of several, a list's are `output_0`, `output_1`…, an object's have its keys. */
export function callModel(model: LoadableModel, input: tf.Tensor): Record<string, tf.Tensor> {
  const answer: unknown = Reflect.apply(model.call, model, [input]);
  if (answer instanceof tf.Tensor) return { output: answer };
  const entries = Array.isArray(answer)
    ? answer.map((value: unknown, i): [string, unknown] => [`output_${i}`, value])
    : Object.entries(Object(answer));
  const found = entries.flatMap(([name, value]) => (value instanceof tf.Tensor ? [[name, value] as const] : []));
  if (found.length > 0 && found.length === entries.length) return Object.fromEntries(found);
  throw new EngineError(
    'export.output',
    `The call of ${nameOf(model)} gives neither a tensor nor a list or an object of tensors, so there is nothing to export.`,
    {},
  );
}
