import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Composition, loadYaml, toPlain } from '../config/index.ts';

/** The group choices that a run was composed with, from its `.hydra` folder; empty where that is missing. */
export function readRunChoices(expDir: string): ReadonlyMap<string, string> {
  const file = join(expDir, '.hydra', 'hydra.yaml');
  if (!existsSync(file)) return new Map();
  const content = toPlain(loadYaml(readFileSync(file, 'utf8'), { source: file }));
  const choices = member(member(member(content, 'hydra') ?? content, 'runtime'), 'choices');
  if (typeof choices !== 'object' || choices === null) return new Map();
  return new Map(Object.entries(choices).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/**
 * Overrides that bring the run's own choices into an inference config: where both have a group and nobody overrode it,
 * the run's is meant — a language model is not to be asked about digits because that is the inference config's default.
 */
export function inheritedOverrides(composition: Composition, runChoices: ReadonlyMap<string, string>): string[] {
  const chosen = new Set(
    composition.overrides.map(({ keyOrGroup, package: to }) => (to === undefined ? keyOrGroup : `${keyOrGroup}@${to}`)),
  );
  const inherited: string[] = [];
  for (const [key, choice] of composition.choices) {
    const wanted = runChoices.get(key);
    if (key.startsWith('hydra/') || wanted === undefined || wanted === choice || chosen.has(key)) continue;
    inherited.push(`${key}=${wanted}`);
  }
  return inherited;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
