import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OriginInfo } from '../../api/configModel.ts';
import { EngineError } from '../../api/errors.ts';
import { compose } from '../../config/compose/compose.ts';
import { MemorySource } from '../../config/compose/memorySource.ts';
import { parseOverride } from '../../config/grammar/parser.ts';
import type { Project } from '../../instantiate/project/loadProject.ts';
import { readRunJson, readRunText, runFiles } from '../../runs/runFolder.ts';
import { Composition, explained } from '../composition.ts';
import { collectOrigins } from '../configTree.ts';

/** The key, or the group, that an override is about: `trainer.epochs`, `optimizer`. Throws what parsing throws. */
export function overrideKey(override: string): string {
  return explained(() => parseOverride(override).keyOrGroup);
}

/** Whether the override picks an option of one of the project's config groups instead of changing a value. */
export function isGroupChoice(project: Project, override: string): boolean {
  const key = overrideKey(override);
  return key.includes('/') || existsSync(join(project.configDir, key));
}

/**
 * A run's own config (`config.yaml`) with overrides of values on top, by Hydra's rules. The project's config files are
 * not looked at: they may have changed since. Throws `launch.folder-missing` without a config, and what an override
 * that does not fit throws.
 */
export function composeSaved(project: Project, expDir: string, overrides: readonly string[]): Composition {
  const text = readRunText(expDir, runFiles.config);
  if (text === undefined) {
    throw new EngineError(
      'launch.folder-missing',
      `${join(expDir, runFiles.config)} is missing, so it is not known what was trained there.`,
      { expDir },
    );
  }
  return composeText(project, text, overrides, join(expDir, runFiles.config));
}

/** The same for a config's text; `name` says where it is from. */
export function composeText(project: Project, text: string, overrides: readonly string[], name: string): Composition {
  const source = new MemorySource({ 'config.yaml': text }, { displayPrefix: `${name}: ` });
  return explained(
    () =>
      new Composition('config', compose({ searchPath: [source], configName: 'config', overrides, cwd: project.root })),
  );
}

/** Where each value comes from: what the run recorded, and the overrides that came on top. */
export function savedOrigins(expDir: string, composition: Composition): Record<string, OriginInfo> {
  const recorded = z.record(z.string(), OriginInfo).safeParse(readRunJson(expDir, runFiles.origins)).data ?? {};
  const now = collectOrigins(composition.config);
  return Object.fromEntries(
    Object.entries(now).map(([path, origin]) => [
      path,
      origin.kind === 'override' ? origin : (recorded[path] ?? origin),
    ]),
  );
}
