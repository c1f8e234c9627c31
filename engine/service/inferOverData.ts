import { EngineError } from '../api/errors.ts';
import type { BatchDone } from '../inference/batchProtocol.ts';
import { type RunInferenceRequest, runInference } from '../inference/runInference.ts';
import { loadProject } from '../instantiate/project/loadProject.ts';
import { forkWorker } from '../launch/childProcess.ts';

export type InferOverDataResult = BatchDone;

export interface InferOverDataRequest
  extends Pick<RunInferenceRequest, 'overrides' | 'onProgress' | 'onNote' | 'onOutput'> {
  readonly root: string;
  /** The project's inference config unless given. */
  readonly configName: string | undefined;
  /** Gives the config folders for the project's own one; see a ComposeRequest. */
  readonly searchPath: (configDir: string) => string[] | undefined;
  readonly signal: AbortSignal;
}

/**
 * Runs a checkpoint over a data split, in a process of its own. Throws what the inference throws, and
 * `config.no-inference-config` where the project has none.
 */
export function inferOverData(request: InferOverDataRequest): Promise<InferOverDataResult> {
  const { root, configName, searchPath, ...rest } = request;
  const project = loadProject(root);
  const chosen = configName ?? project.inferenceConfig;
  if (chosen === undefined) {
    throw new EngineError(
      'config.no-inference-config',
      `${project.configDir} has no inference.yaml. Write one, or name another config with --config-name.`,
      { root: project.root },
    );
  }
  return runInference({
    ...rest,
    fork: forkWorker,
    projectRoot: project.root,
    configName: chosen,
    searchPath: searchPath(project.configDir),
  });
}
