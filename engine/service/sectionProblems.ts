import { type ConfigNode, describeOrigin, listGroups } from '../config/index.ts';
import { followWith } from '../config/schema/walkTargets.ts';
import { sectionFault, type TrainingSection, trainingSections } from '../trainer/prepare/sections.ts';
import type { Composition } from './composition.ts';

/**
 * Sections without which nothing can be trained and that are missing or no sections, a sentence each with its place and
 * what to write. What only the project's resolvers know stays silent.
 */
export function sectionProblems(composition: Composition): string[] {
  const { config, parts } = composition;
  const follow = followWith(parts.context);
  const names = [...config.keys()].map(String);
  return trainingSections.flatMap((section) => {
    const node = config.get(section.name);
    const resolved = node && follow(node);
    if (node !== undefined && resolved === undefined) return [];
    const fault = sectionFault(section, resolved && outline(resolved), names);
    if (fault === undefined) return [];
    const place = node?.origin === undefined ? absence(composition, section.name) : describeOrigin(node.origin);
    const remedy = node === undefined ? `\n    ${howToAdd(composition, section)}` : '';
    return [`${fault}\n    at ${place}${remedy}`];
  });
}

/** As much of a section as its kind. */
function outline(node: ConfigNode): unknown {
  if (node.kind === 'dict') return Object.fromEntries([...node.keys()].map((key) => [String(key), true]));
  return node.kind === 'list' ? [] : node.value;
}

/** The override that took the section away, or the file that ought to have it. */
function absence({ configName, parts }: Composition, section: string): string {
  const index = parts.overrides.findLastIndex(({ type, keyOrGroup }) => type === 'DEL' && keyOrGroup === section);
  const override = parts.overrides[index];
  if (override !== undefined) return `override ${index + 1} (${override.text})`;
  return parts.files.find(({ configPath }) => configPath === configName)?.display ?? configName;
}

function howToAdd({ parts }: Composition, { name, example }: TrainingSection): string {
  const options = listGroups(parts.request).find((group) => group.name === name)?.options ?? [];
  const [first] = options;
  const written = `write ${name}: ${example}`;
  if (first === undefined) return `Add it: ${written}`;
  return `Add it: choose an option of the group with +${name}=${first} (there are ${options.join(', ')}), or ${written}`;
}
