import type { ModelSignature } from '../api/inferenceModel.ts';
import { loadBackend } from '../backend/index.ts';
import { resolveCheckpoint } from '../checkpoint/index.ts';
import { failureOf } from '../process/childFailure.ts';
import { endWithParent, sendToParent } from '../process/childLife.ts';
import { openTrainingRuntime, readWeights } from '../trainer/index.ts';
import { callGraphsOf, compileCalls } from './compileCalls.ts';
import { readRunConfig } from './inferenceConfig.ts';
import { asTrained } from './labelSignature.ts';
import { buildModel } from './loadModel.ts';
import { readArguments, readSignature } from './modelContract.ts';
import { type AnsweringModel, predictOnce } from './predictOnce.ts';
import { SampleSource } from './samples.ts';
import { type SessionDescription, type SessionMessage, SessionRequest, SessionStart } from './sessionProtocol.ts';
import { splitBuilders } from './splits.ts';

/** One checkpoint that answers questions, in a process of its own. Started by an InferenceSession. */

interface Answering {
  readonly model: AnsweringModel;
  readonly signature: ModelSignature;
  readonly samples: SampleSource;
  readonly description: SessionDescription;
  /** To be told with each answer from now on: one that a newer question overtakes is not shown. */
  readonly notes: readonly string[];
}

async function load(start: SessionStart): Promise<Answering> {
  const runtime = await openTrainingRuntime(start.projectRoot);
  const weights = await readWeights(await resolveCheckpoint(start.checkpoint), start.useEma);
  const runConfig = readRunConfig({ expDir: start.expDir, expConfigPath: undefined }, weights.configText);
  const backend = await loadBackend(start.threads === undefined ? {} : { threads: start.threads });
  const model = await buildModel(runtime, runConfig, weights);
  const notes: string[] = [];
  compileCalls(model, callGraphsOf(runConfig), (text) => void notes.push(text));
  const signature = asTrained(readSignature(model), runConfig);
  const samples = new SampleSource(splitBuilders(runtime, runConfig, start.expDir), model, signature);
  const description = {
    signature,
    backend: backend.description,
    parameters: model.countParams().total,
    step: weights.step,
    epoch: weights.epoch,
    hasAverages: weights.hasAverages,
    isAveraged: weights.isAveraged,
    splits: [...samples.splits],
  };
  return { model, signature, samples, description, notes };
}

async function answer(
  { model, signature, samples, notes }: Answering,
  request: SessionRequest,
): Promise<SessionMessage> {
  const { id } = request;
  try {
    if (request.type === 'samples') {
      return { type: 'samples', id, page: await samples.page(request.split, request.offset, request.limit) };
    }
    const options = readArguments(signature, request.arguments);
    const prediction = await predictOnce(model, signature, request.input, options, samples);
    const note = notes.join('\n');
    return { type: 'prediction', id, prediction: note === '' ? prediction : { ...prediction, note } };
  } catch (error) {
    return { type: 'refused', id, failure: failureOf(error) };
  }
}

/** Questions wait for the model and for each other: TensorFlow is used by one at a time. */
let queue: Promise<unknown> = Promise.resolve();
let answering: Answering | undefined;

async function onStart(start: SessionStart): Promise<void> {
  try {
    answering = await load(start);
    await send({ type: 'ready', description: answering.description });
  } catch (error) {
    await send({ type: 'failed', failure: failureOf(error) });
    process.exit(1);
  }
}

async function onRequest(request: SessionRequest): Promise<void> {
  if (answering !== undefined) await send(await answer(answering, request));
}

function send(message: SessionMessage): Promise<void> {
  return sendToParent(message);
}

endWithParent();
process.on('message', (message) => {
  const start = SessionStart.safeParse(message).data;
  const request = SessionRequest.safeParse(message).data;
  queue = queue.then(async () => {
    if (start !== undefined) await onStart(start);
    else if (request !== undefined) await onRequest(request);
  });
});
