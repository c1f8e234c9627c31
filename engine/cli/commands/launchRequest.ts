import { relative, resolve } from 'node:path';
import type { LaunchRequest } from '../../api/launchModel.ts';
import type { ProjectInfo } from '../../api/projectModel.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import { searchPathOf } from './searchPath.ts';

/** A file named from where the person stands, as the project calls it: recorded commands work from the project. */
function fromProject(root: string, file: string): string {
  const path = relative(root, resolve(file));
  return path.startsWith('..') ? resolve(file) : path;
}

/** The request that a command line makes. */
export function launchRequest(
  project: Pick<ProjectInfo, 'root' | 'configDir' | 'defaultConfig'>,
  overrides: readonly string[],
  options: ConfigOptions & LaunchFlags,
): LaunchRequest {
  return {
    configName: options.configName ?? project.defaultConfig,
    overrides: [...overrides],
    searchPath: searchPathOf(project.configDir, options),
    launchFile: options.config_file === undefined ? undefined : fromProject(project.root, options.config_file),
    numProcesses: options.num_processes,
    useCpu: options.use_cpu ?? options.cpu,
    gpuIds: options.gpu_ids,
    mixedPrecision: options.mixed_precision,
    threadsPerProcess: options.num_cpu_threads_per_process,
    mainProcessPort: options.main_process_port,
    maxRestarts: options.max_restarts,
    name: options.name,
  };
}
