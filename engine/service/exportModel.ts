import { type RunExportRequest, runExport } from '../inference/export/runExport.ts';
import { loadProject } from '../instantiate/project/loadProject.ts';
import { forkWorker } from '../launch/childProcess.ts';

/** Exports a checkpoint's model as a SavedModel, in a process of its own. Throws what the export throws. */
export function exportModel(request: Omit<RunExportRequest, 'fork'>): ReturnType<typeof runExport> {
  const project = loadProject(request.projectRoot);
  return runExport({ ...request, projectRoot: project.root, fork: forkWorker });
}
