import { basename, join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import {
  buildStepGraph,
  encodeSavedModel,
  type PartGraph,
  type StepGraph,
  type TensorInfo,
} from '../../backend/graph/index.ts';
import { withPlainKernels } from '../../backend/index.ts';
import { resolveCheckpoint, runFolderOf } from '../../checkpoint/index.ts';
import type { ProjectRuntime } from '../../instantiate/index.ts';
import { type TensorBackend, tensorBackend } from '../../trainer/compile/nativeTensors.ts';
import { readWeights } from '../../trainer/index.ts';
import { readRunConfig } from '../inferenceConfig.ts';
import { buildModel, type LoadableModel } from '../loadModel.ts';
import { type ExportInput, exportInput, sampleBatch } from './exportInput.ts';
import type { ExportDone, ExportStart } from './exportProtocol.ts';
import { freeBatch } from './freeBatch.ts';
import { freeze } from './freeze.ts';
import { callModel, type RecordedCall, recordCall } from './recordCall.ts';
import { checkFree, writeModel } from './savedModelFolder.ts';

/** Two sizes that no shape of a model has by chance in common. */
const probes = [3, 5] as const;
/** A protocol buffer cannot be larger. */
const largestModel = 2 ** 31 - 1;

export interface ExportRequest extends Omit<ExportStart, 'type' | 'projectRoot'> {
  readonly runtime: ProjectRuntime;
  readonly loadBackend: () => Promise<string>;
  readonly onNote: (text: string) => void;
}

/**
 * Writes the call of a checkpoint's model as a SavedModel: signature `serving_default`, weights as constants, TensorFlow's
 * plain ops only, so that any TensorFlow 2 loads it. The written model is loaded again and compared with the original.
 * Throws 'checkpoint.…', 'inference.no-config', what building the model throws, and 'export.…'.
 */
export async function exportCheckpoint(request: ExportRequest): Promise<ExportDone> {
  const { runtime, target, useEma, onNote } = request;
  const checkpoint = await resolveCheckpoint(target);
  const folder = checkpoint.type === 'folder' ? checkpoint.folder : resolve(checkpoint.file, '..');
  const expDir = runFolderOf(folder);
  const output = request.output ?? join(expDir, 'export', basename(folder));
  checkFree(output, request.overwrite);
  const weights = await readWeights(checkpoint, useEma);
  const runConfig = readRunConfig({ expDir, expConfigPath: undefined }, weights.configText);
  onNote(`Backend ${await request.loadBackend()}`);
  const backend = tensorBackend();
  if (backend === undefined) {
    throw new EngineError(
      'export.backend',
      `A SavedModel can be written with native TensorFlow only; here the backend is '${tf.getBackend()}'. \`accelhydra doctor\` says why.`,
      { backend: tf.getBackend() },
    );
  }
  onNote(`Checkpoint ${weights.source} (epoch ${weights.epoch}, step ${weights.step})`);
  const model = await buildModel(runtime, runConfig, weights);
  const input = exportInput(model, request);
  const { graph, part, outputs, fixedBecause, batch } = makeGraph(backend, model, input, request.batchSize);
  const feed = part.feeds.get('input');
  if (feed === undefined) {
    throw new EngineError('export.no-input', 'What the model gives does not depend on its input.', {});
  }
  const inputInfo: TensorInfo = {
    tensor: feed,
    dtype: backend.getDTypeInteger(input.dtype),
    shape: [batch ?? -1, ...input.shape],
  };
  const outputInfos = Object.fromEntries(
    outputs.map(({ name, dtype, shape }) => [
      name,
      { tensor: part.fetches.get(name) ?? '', dtype: backend.getDTypeInteger(dtype as tf.DataType), shape },
    ]),
  );
  const bytes = encodeSavedModel(graph.nodes, {
    serving_default: { inputs: { input: inputInfo }, outputs: outputInfos },
  });
  if (bytes.length > largestModel) {
    throw new EngineError(
      'export.too-large',
      'The weights are larger than 2 GB, which a SavedModel with constant weights cannot hold.',
      { bytes: bytes.length },
    );
  }
  const { source, step, epoch, isAveraged } = weights;
  await writeModel(output, bytes, { checkpoint: source, step, epoch, averaged: isAveraged });
  return {
    output,
    checkpoint: source,
    step,
    epoch,
    isAveraged,
    input: { name: 'input', dtype: input.dtype, shape: [...inputInfo.shape] },
    outputs,
    ...(fixedBecause === undefined ? {} : { fixedBecause }),
    operations: part.operationCount,
    parameters: model.countParams().total,
    bytes: bytes.length,
    difference: compareLoaded(backend, output, model, sampleBatch(input, batch ?? 4), feed, outputInfos),
  };
}

interface MadeGraph {
  readonly graph: StepGraph;
  readonly part: PartGraph;
  readonly outputs: ExportDone['outputs'];
  readonly batch: number | undefined;
  readonly fixedBecause: string | undefined;
}

function makeGraph(
  backend: TensorBackend,
  model: LoadableModel,
  input: ExportInput,
  wanted: number | undefined,
): MadeGraph {
  const record = (size: number): RecordedCall => {
    const batch = sampleBatch(input, size);
    return withPlainKernels(() => recordCall(backend, model, batch));
  };
  const build = (call: Pick<RecordedCall, 'operations' | 'outputs'>) => {
    const { operations, outputs } = freeze(backend.binding, call);
    const graph = buildStepGraph({ parts: [{ operations, outputs: Object.fromEntries(outputs) }] });
    const [part] = graph.parts;
    if (part === undefined) throw new Error('Internal error: a graph without a part');
    return { graph, part };
  };
  const first = record(wanted ?? probes[0]);
  if (wanted !== undefined) {
    return { ...build(first), outputs: portsOf(first), batch: wanted, fixedBecause: undefined };
  }
  const second = record(probes[1]);
  const freed = freeBatch(first, second);
  if ('call' in freed) {
    return { ...build(freed.call), outputs: portsOf(first, second), batch: undefined, fixedBecause: undefined };
  }
  const single = record(1);
  return { ...build(single), outputs: portsOf(single), batch: 1, fixedBecause: freed.reason };
}

/** Names, types and shapes of what a call gives; sizes that differ between two calls are free. */
function portsOf({ results }: RecordedCall, other?: RecordedCall): ExportDone['outputs'] {
  return [...results].map(([name, { dtype, shape }]) => ({
    name,
    dtype,
    shape: shape.map((size, i) => ((other?.results.get(name)?.shape[i] ?? size) === size ? size : -1)),
  }));
}

function compareLoaded(
  backend: TensorBackend,
  folder: string,
  model: LoadableModel,
  batch: tf.Tensor,
  feed: string,
  outputs: Readonly<Record<string, TensorInfo>>,
): number {
  const { binding } = backend;
  const names = Object.keys(outputs);
  const id = binding.loadSavedModel(folder, 'serve');
  try {
    const fetches = names.map((name) => outputs[name]?.tensor).join();
    const handles = binding.runSavedModel(id, backend.getInputTensorIds([batch]), feed, fetches);
    return tf.tidy(() => {
      const expected = callModel(model, batch);
      return handles.reduce((most, handle, i) => {
        const wanted = expected[names[i] ?? ''];
        const found = backend.createOutputTensor(handle);
        if (wanted === undefined) throw new Error('Internal error: an output is missing');
        const apart = wanted.toFloat().sub(found.toFloat()).abs().max().arraySync();
        return Math.max(most, Number(apart));
      }, 0);
    });
  } finally {
    binding.deleteSavedModel(id);
  }
}
