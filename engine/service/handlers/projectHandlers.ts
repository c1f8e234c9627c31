import { resolve } from 'node:path';
import type { EngineHandlers } from '../../api/contract.ts';
import type { ProjectInfo } from '../../api/projectModel.ts';
import { initProject } from '../../instantiate/project/initProject.ts';
import { configNames, type Project } from '../../instantiate/project/loadProject.ts';
import type { EngineState } from '../engineState.ts';

type Names = 'project.current' | 'project.recent' | 'project.open' | 'project.create' | 'project.trust';

export function projectHandlers(state: EngineState): Pick<EngineHandlers, Names> {
  const open = async (root: string) => {
    const { project } = await state.open(resolve(root));
    state.user.rememberProject(project.root, project.name, Date.now());
    return describe(state, project);
  };
  return {
    'project.current': () => describe(state, state.current.project),
    'project.recent': () => state.user.recentProjects(),
    'project.open': ({ root }) => open(root),
    'project.create': ({ root, template }) => {
      const created = initProject(root, template);
      // Its code is ours.
      state.trust(created.root, true);
      return open(created.root);
    },
    'project.trust': ({ trusted }) => {
      const { project } = state.current;
      state.trust(project.root, trusted);
      state.fire({ type: 'project.changed' });
      return describe(state, project);
    },
  };
}

function describe(state: EngineState, project: Project): ProjectInfo {
  return {
    root: project.root,
    name: project.name,
    configDir: project.configDir,
    configNames: configNames(project),
    defaultConfig: project.defaultConfig,
    inferenceConfig: project.inferenceConfig,
    sourceRoots: [...project.sourceRoots],
    trusted: state.isTrusted(project.root),
  };
}
