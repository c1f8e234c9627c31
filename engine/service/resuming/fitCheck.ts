import { EngineError } from '../../api/errors.ts';
import { checkRun, type StartRunRequest } from '../../launch/index.ts';

const misfits: ReadonlySet<string> = new Set(['trainer.other-model', 'trainer.other-optimizer', 'trainer.resume']);

/**
 * Throws what would keep a new run from going on from its checkpoint (another model, another optimizer), before anything of
 * it is started. Gives what a person should know where it could not be looked at.
 */
export async function checkFit(
  request: Pick<StartRunRequest, 'projectRoot' | 'expDir' | 'configYaml' | 'origins' | 'plan' | 'resumeFrom'>,
): Promise<readonly string[]> {
  const { projectRoot, expDir, configYaml, origins, plan, resumeFrom } = request;
  if (resumeFrom === undefined) return [];
  try {
    await checkRun({ projectRoot, expDir, configYaml, origins, processes: plan.processes.length, resumeFrom });
    return [];
  } catch (error) {
    if (!EngineError.is(error) || misfits.has(error.code)) throw error;
    // what cannot be built in a process without a GPU may be built in the training's, which tells if it cannot
    return [`Whether ${resumeFrom} fits was not looked at beforehand: ${error.message}`];
  }
}
