import * as tf from '@tensorflow/tfjs';
import { loadProject, openProjectRuntime, type ProjectRuntime } from '../../instantiate/index.ts';
import { builtinTargets } from './builtinTargets.ts';

/** Makes a project's code importable, with everything built in. A backend must be loaded before anything is computed. */
export function openTrainingRuntime(projectRoot: string): Promise<ProjectRuntime> {
  return openProjectRuntime(loadProject(projectRoot), { builtins: builtinTargets, tensorflow: tf });
}
