import { EngineError } from '../../api/errors.ts';
import { printedReason } from '../../service/configCommands.ts';
import { findConfigPlace } from '../../service/configPlace.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import type { SourceOptions } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { searchPathOf } from './searchPath.ts';

/** `why`: the value at a path, where it was written, where an interpolation leads, and every value that it beat. */
export async function why(
  terminal: Terminal,
  path: string,
  overrides: readonly string[],
  options: SourceOptions & { readonly json?: boolean },
): Promise<ExitCode> {
  if (path.includes('=')) {
    throw new EngineError(
      'usage.arguments',
      `'${path}' is an override; the path comes first: accelhydra why PATH ${path}`,
    );
  }
  const place = await findConfigPlace(process.cwd(), options.project);
  const configName = options.configName ?? place.defaultConfig;
  const request = { configName, overrides, searchPath: searchPathOf(place.configDir, options) };
  terminal.printRaw(await printedReason(place, request, path, options.json === true));
  return exitCodes.ok;
}
