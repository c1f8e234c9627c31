import { EngineError } from '../../api/errors.ts';
import type { RunRecord } from '../../runs/runTable.ts';
import { shellQuote } from '../commandText.ts';
import type { Composition } from '../composition.ts';
import { overrideKey } from './savedConfig.ts';

/**
 * What a run that goes on in its own folder may change: how long it trains, when it saves and logs, and where it reports.
 * AccelHydra takes `logging_config` alone from the new config; everything else would make the run another training, whose
 * record then tells of two.
 */
const changeable: readonly string[] = [
  'epochs',
  'trainer.epochs',
  'trainer.early_stop',
  'trainer.log_every_n_steps',
  'trainer.save_every_n_steps',
  'trainer.permanent_save_every_n_steps',
  'trainer.save_every_n_epochs',
  'trainer.save_last_k',
  'trainer.logging_config',
  'trainer.leak_guard',
];

/** Keys that say what to go on from; they are no change of the config. */
export const resumeKeys: ReadonlySet<string> = new Set(
  [
    'resume_from_checkpoint',
    'resume_from_config',
    'auto_resume_from_latest_ckpt',
    'auto_reusme_from_latest_ckpt',
  ].flatMap((key) => [key, `trainer.${key}`]),
);

/** At the checkpoint of another run: its weights with fresh optimizer state. */
export const resetKey = 'trainer.reset_optimizer';

/** The override that a saved config needs whose run itself began so: that says nothing of one that goes on from it. */
export function resetUndone(saved: Composition, overrides: readonly string[]): readonly string[] {
  const isAsked = overrides.some((override) => overrideKey(override) === resetKey);
  return isAsked || saved.textAt(resetKey) !== 'true' ? [] : [`${resetKey}=false`];
}

export function isChangeable(key: string): boolean {
  return changeable.some((allowed) => key === allowed || key.startsWith(`${allowed}.`));
}

/** Throws `runs.resume-override` for an override that a resumed run may not take, saying how to take it elsewhere. */
export function checkResumeOverrides(
  run: Pick<RunRecord, 'id' | 'name'>,
  overrides: readonly string[],
  step?: number,
): void {
  const refused = overrides.filter((override) => !isChangeable(overrideKey(override)));
  if (refused.length === 0) return;
  const branch = ['accelhydra runs branch', run.id, ...(step === undefined ? [] : [`--step ${step}`])];
  const command = [...branch, ...overrides.map(shellQuote)].join(' ');
  throw new EngineError(
    'runs.resume-override',
    `${refused.join(' ')}: a run that goes on keeps what it trains, from its saved config. It may change ${changeable.join(', ')}. To train on with something else, branch a new run off it: ${command}`,
    { overrides: refused, command },
  );
}

/** Throws `runs.nothing-left` where the config asks for no more epochs than the checkpoint has done. */
export function checkSomethingLeft(
  run: Pick<RunRecord, 'id' | 'name'>,
  composition: Composition,
  checkpoint: { readonly path: string; readonly epoch: number },
  verb: 'resume' | 'branch',
): void {
  const epochs = Number(composition.textAt('trainer.epochs') ?? composition.textAt('epochs'));
  if (!(checkpoint.epoch >= epochs)) return;
  throw new EngineError(
    'runs.nothing-left',
    `${checkpoint.path} of '${run.name}' has done ${checkpoint.epoch} of ${epochs} epochs: nothing is left to train. Ask for more: accelhydra runs ${verb} ${run.id} epochs=${epochs * 2}`,
    { runId: run.id, epochs },
  );
}
