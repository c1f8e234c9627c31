import type { LaunchRequest } from '../api/launchModel.ts';
import { listDevices } from '../backend/devices.ts';
import { loadProject } from '../instantiate/project/loadProject.ts';
import type { CompileReport } from '../launch/compileReport/compileReportProtocol.ts';
import { type CompileReportRequest, reportCompile } from '../launch/compileReport/reportCompile.ts';
import { planRequest, prepareLaunch } from './launching.ts';

export type { CompileReport, GraphReport } from '../launch/compileReport/compileReportProtocol.ts';

export interface CompileReportWish extends Pick<CompileReportRequest, 'steps' | 'output' | 'onNote' | 'signal'> {
  readonly projectRoot: string;
  readonly launch: (project: {
    readonly root: string;
    readonly configDir: string;
    readonly defaultConfig: string;
  }) => LaunchRequest;
}

/** Composes a training's config and reports on how its steps compile. Throws what composing and the report throw. */
export async function compileReport({ projectRoot, launch, ...wish }: CompileReportWish): Promise<CompileReport> {
  const project = loadProject(projectRoot);
  const prepared = prepareLaunch(project, launch(project), await listDevices());
  const { configYaml, origins } = planRequest(project, prepared);
  const threads = prepared.plan.processes[0]?.threads ?? 1;
  return reportCompile({ ...wish, projectRoot: project.root, configYaml, origins, threads });
}
