import type { ContainerNode } from '../config/index.ts';
import type { ProjectRuntime } from '../instantiate/index.ts';
import { composeInference } from './inferenceConfig.ts';
import { inheritedOverrides, readRunChoices } from './runChoices.ts';

type BuildDataset = () => Promise<unknown>;

/**
 * The data sets that samples can be picked from: those of the run's own loaders, and the test split of the project's
 * inference config with the run's choices. Nothing is built before it is asked for.
 */
export function splitBuilders(
  runtime: ProjectRuntime,
  runConfig: ContainerNode,
  expDir: string,
): ReadonlyMap<string, BuildDataset> {
  const run = runtime.builder(runConfig);
  const splits = new Map<string, BuildDataset>();
  const add = (name: string, path: string): void => {
    if (run.has(path)) splits.set(name, () => run.instantiate(path));
  };
  add('test', 'test_dataloader.dataset');
  const { inferenceConfig } = runtime.project;
  if (!splits.has('test') && inferenceConfig !== undefined) {
    splits.set('test', () => buildTestSet(runtime, inferenceConfig, expDir));
  }
  add('val', 'val_dataloader.dataset');
  add('train', 'train_dataloader.dataset');
  return splits;
}

function buildTestSet(runtime: ProjectRuntime, configName: string, expDir: string): Promise<unknown> {
  const { project, resolvers } = runtime;
  const composeWith = (overrides: readonly string[]) => composeInference({ project, configName, overrides, resolvers });
  const first = composeWith([]);
  const inherited = inheritedOverrides(first, readRunChoices(expDir));
  const { config, context } = inherited.length === 0 ? first : composeWith(inherited);
  return runtime.builder(config, context).instantiate('test_dataloader.dataset');
}
