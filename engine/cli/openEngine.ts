import { resolve } from 'node:path';
import type { Engine } from '../service/createEngine.ts';

export interface ProjectOption {
  readonly project?: string | undefined;
}

/** The project a command works on: the one named, or the nearest from the working directory upwards. */
export async function projectFolder(options: ProjectOption): Promise<string> {
  if (options.project !== undefined) return resolve(options.project);
  const { findProjectRoot } = await import('../service/index.ts');
  return findProjectRoot(process.cwd()) ?? process.cwd();
}

/**
 * Runs `work` with an engine on the command's project and ends the engine. Naming a project on the command line is
 * trusting it.
 */
export async function withEngine<T>(options: ProjectOption, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { createEngine } = await import('../service/index.ts');
  const engine = await createEngine({
    projectDir: await projectFolder(options),
    trustProject: true,
    isWatching: false,
  });
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}
