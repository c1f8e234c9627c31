import { resolve } from 'node:path';
import type { SourceOptions } from '../options.ts';

/**
 * The config folders that the options name, absolute: `--config-path` instead of the project's own, `--config-dir` after
 * it, as in Hydra. Undefined when the project's own is the only one.
 */
export function searchPathOf(configDir: string, options: SourceOptions): string[] | undefined {
  if (options.configPath === undefined && options.configDir === undefined) return undefined;
  const main = options.configPath === undefined ? configDir : resolve(options.configPath);
  return options.configDir === undefined ? [main] : [main, resolve(options.configDir)];
}
