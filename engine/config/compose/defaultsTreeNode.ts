import type { Choices } from './choices.ts';
import type { InclusionStep } from './compositionError.ts';
import type { DefaultItem, PackageRules } from './defaultElement.ts';
import type { ConfigRepository } from './repository.ts';

/** The root above the primary config and Hydra's own. */
export const ROOT = 'root';

/** A config with what it includes, in order. Items without children are leaves. */
export interface DefaultsTreeNode {
  readonly item: DefaultItem | typeof ROOT;
  readonly parent: DefaultsTreeNode | undefined;
  /** `undefined` for a leaf: a config without a defaults list, a null choice, something left out. */
  children: DefaultsTreeNode[] | undefined;
}

export interface TreeContext {
  readonly repository: ConfigRepository;
  readonly choices: Choices;
  readonly rules: PackageRules;
  /** `???` choices are passed over, as when a sweep will fill them. */
  readonly skipMissing: boolean;
}

/** How the tree got from the primary config to this node. */
export function inclusionChain(node: DefaultsTreeNode | undefined): readonly InclusionStep[] {
  const steps: InclusionStep[] = [];
  for (let step = node; step !== undefined && step.item !== ROOT; step = step.parent) {
    steps.push({ config: step.item.configPath(), origin: step.item.origin });
  }
  return steps.reverse();
}
