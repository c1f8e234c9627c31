import { join } from 'node:path';
import type { LaunchJob } from '../api/launch.ts';
import { writeAtomically } from '../runs/runFolder.ts';

/** What the launcher of a run reads, in the run's folder. */
export const jobFile = 'launch.json';

export function writeJob(runDir: string, job: LaunchJob): void {
  writeAtomically(join(runDir, jobFile), `${JSON.stringify(job, null, 2)}\n`);
}
