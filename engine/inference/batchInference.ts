import { type Composition, toPlain } from '../config/index.ts';
import type { ConfigBuilder, ProjectRuntime } from '../instantiate/index.ts';
import { readWeights } from '../trainer/index.ts';
import { buildDataloader } from '../trainer/prepare/dataloaderSection.ts';
import { callGraphsOf, compileCalls } from './compileCalls.ts';
import { type InferenceResult, inferBatches } from './inferBatches.ts';
import {
  composeInference,
  explained,
  findInferenceTarget,
  type InferenceTarget,
  readRunConfig,
} from './inferenceConfig.ts';
import { buildModel } from './loadModel.ts';
import { inheritedOverrides, readRunChoices } from './runChoices.ts';

export interface BatchInferenceRequest {
  readonly runtime: ProjectRuntime;
  readonly configName: string;
  readonly overrides: readonly string[];
  /** Config folders instead of the project's own. */
  readonly searchPath?: readonly string[] | undefined;
  /** Loads the tensor backend; called when there is a checkpoint to load, so that mistakes are told at once. */
  readonly loadBackend: () => Promise<string>;
  readonly onProgress: (done: number, total: number | undefined) => void;
  /** Told what was decided on the way, a sentence each. */
  readonly onNote: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface BatchInferenceResult extends InferenceResult {
  readonly checkpoint: string;
  readonly expDir: string;
  readonly step: number;
  readonly epoch: number;
}

interface Prepared {
  readonly composition: Composition;
  readonly builder: ConfigBuilder;
  readonly target: InferenceTarget;
}

/**
 * Composes the inference config, builds the run's model from the run's own config, loads the checkpoint and runs it over
 * `test_dataloader`. Results lie in exp_dir/inference/output_name. Throws what any of these throw.
 */
export async function runBatchInference(request: BatchInferenceRequest): Promise<BatchInferenceResult> {
  const { runtime, onNote, onProgress, signal } = request;
  const { composition, builder, target } = await prepare(request);
  const weights = await readWeights(target.checkpoint, target.useEma);
  onNote(`Backend ${await request.loadBackend()}`);
  const kind = weights.isAveraged ? ', averaged weights' : '';
  onNote(`Checkpoint ${weights.source} (epoch ${weights.epoch}, step ${weights.step}${kind})`);
  const runConfig = readRunConfig(target, weights.configText);
  const model = await buildModel(runtime, runConfig, weights);
  const section: unknown = Reflect.get(Object(toPlain(builder.resolved())), 'test_dataloader');
  const loader = await buildDataloader('test_dataloader', section, builder);
  const facts = {
    checkpoint: weights.source,
    epoch: weights.epoch,
    step: weights.step,
    config_name: request.configName,
    overrides: composition.overrides.map((override) => override.text),
  };
  const { inferArgs, outputDir, expDir } = target;
  const compiler = compileCalls(model, callGraphsOf(runConfig, target.graphs), onNote);
  const result = await inferBatches({ model, loader, arguments: inferArgs, outputDir, facts, onProgress, signal });
  const graphs = compiler?.graphs ?? 0;
  if (graphs > 0) onNote(`The model's call ran as ${graphs === 1 ? 'a graph' : `${graphs} graphs`}`);
  compiler?.dispose();
  return { ...result, checkpoint: weights.source, expDir, step: weights.step, epoch: weights.epoch };
}

async function prepare(request: BatchInferenceRequest): Promise<Prepared> {
  const { runtime, onNote } = request;
  const { project, resolvers } = runtime;
  const composeWith = async (overrides: readonly string[]): Promise<Prepared> => {
    const composition = composeInference({ ...request, project, resolvers, overrides });
    const builder = runtime.builder(composition.config, composition.context);
    const resolved = explained(() => builder.resolved());
    return { composition, builder, target: await findInferenceTarget(project.root, resolved) };
  };
  const first = await composeWith(request.overrides);
  const inherited = inheritedOverrides(first.composition, readRunChoices(first.target.expDir));
  if (inherited.length === 0) return first;
  onNote(`As in the run: ${inherited.join(' ')}`);
  return composeWith([...inherited, ...request.overrides]);
}
