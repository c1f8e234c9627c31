import { didYouMean } from '../../base/nearest.ts';

/** A section that a training is built from. */
export interface TrainingSection {
  readonly name: string;
  /** What it must be: there, there or null, or nothing at all. */
  readonly need: 'required' | 'nullable' | 'optional';
  /** A line that would do, for whoever has to write one. */
  readonly example: string;
}

/** In the order in which they are built. */
export const trainingSections: readonly TrainingSection[] = [
  { name: 'model', need: 'required', example: '{_target_: models.MyModel}' },
  {
    name: 'train_dataloader',
    need: 'required',
    example: '{_target_: accelhydra.DataLoader, dataset: …, batch_size: 32}',
  },
  {
    name: 'val_dataloader',
    need: 'optional',
    example: '{_target_: accelhydra.DataLoader, dataset: …, batch_size: 32}',
  },
  { name: 'optimizer', need: 'required', example: '{_target_: torch.optim.AdamW, lr: 0.001}' },
  { name: 'lr_scheduler', need: 'optional', example: '{_target_: transformers.get_scheduler, name: cosine}' },
  { name: 'loss_fn', need: 'nullable', example: '{_target_: torch.nn.CrossEntropyLoss}' },
  { name: 'trainer', need: 'required', example: '{_target_: trainers.MyTrainer, project_dir: …, epochs: 10}' },
];

/**
 * What is wrong with a section before anything is built, as a sentence; undefined where nothing is.
 * @param value plain and resolved; undefined where the section is absent
 * @param others names of what the config has, to find a misspelt one
 */
export function sectionFault(
  { name, need }: TrainingSection,
  value: unknown,
  others: readonly string[],
): string | undefined {
  if (value === undefined) {
    if (need === 'optional') return undefined;
    const hint = need === 'nullable' ? ` Write '${name}: null' when training_step needs none.` : '';
    return `The config has no section '${name}'.${didYouMean(name, others)}${hint}`;
  }
  if (value === null) return need === 'required' ? `'${name}' is null; a training needs it.` : undefined;
  if (typeof value !== 'object' || Array.isArray(value)) {
    const shown = typeof value === 'object' ? 'a list' : JSON.stringify(value);
    return `'${name}' must be a mapping with _target_; it is ${shown}.`;
  }
  return '_target_' in value ? undefined : `'${name}' has no _target_, which says what is built.`;
}
