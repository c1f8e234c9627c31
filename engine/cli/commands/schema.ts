import { findConfigPlace } from '../../service/configPlace.ts';
import { printedSchema } from '../../service/configProblems.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import type { SourceOptions } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { searchPathOf } from './searchPath.ts';

/** `schema`: a JSON Schema of the composed config on standard output. */
export async function schema(
  terminal: Terminal,
  overrides: readonly string[],
  options: SourceOptions,
): Promise<ExitCode> {
  const place = await findConfigPlace(process.cwd(), options.project);
  const configName = options.configName ?? place.defaultConfig;
  terminal.printRaw(
    printedSchema(place, { configName, overrides, searchPath: searchPathOf(place.configDir, options) }),
  );
  return exitCodes.ok;
}
