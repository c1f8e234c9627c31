import { type InfoTopic, printedConfig, printedInfo } from '../../service/configCommands.ts';
import { findConfigPlace } from '../../service/configPlace.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import type { ConfigOptions } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { searchPathOf } from './searchPath.ts';

/** `--cfg` and `--info`: the composed config, or how it came about, on standard output. */
export async function printConfig(
  terminal: Terminal,
  overrides: readonly string[],
  options: ConfigOptions & { readonly info?: InfoTopic | true },
): Promise<ExitCode> {
  const place = await findConfigPlace(process.cwd(), options.project);
  const request = {
    configName: options.configName ?? place.defaultConfig,
    overrides,
    searchPath: searchPathOf(place.configDir, options),
  };
  if (options.info !== undefined) {
    terminal.printRaw(printedInfo(place, request, options.info === true ? 'all' : options.info));
    return exitCodes.ok;
  }
  const text = await printedConfig(place, request, {
    part: options.cfg ?? 'job',
    resolve: options.resolve ?? false,
    package: options.package,
  });
  terminal.printRaw(text);
  return exitCodes.ok;
}
