import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';

/** The JSON half of an optimizer's state: hyper-parameters per group and counters per parameter. */
export const OptimizerScalars = z.object({
  optimizer: z.string(),
  param_groups: z.array(z.looseObject({ params: z.array(z.string()) })),
  state: z.record(z.string(), z.looseObject({ step: z.number().int().nonnegative() })),
});
export type OptimizerScalars = z.infer<typeof OptimizerScalars>;

export interface OptimizerState {
  /** By flat names such as `exp_avg.conv1.weight`. Snapshots: later steps do not change them. The caller disposes them. */
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  readonly scalars: OptimizerScalars;
}

/** An optimizer's state as it was saved: its tensors by flat names, and the JSON half, not yet checked. */
export interface SavedOptimizer<Tensor> {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly scalars: unknown;
}

/** @throws EngineError `optim.state.invalid` | `optim.state.other-optimizer` | `optim.state.other-parameters` */
export function checkScalars(
  value: unknown,
  optimizer: string,
  groups: readonly { readonly params: readonly { readonly name: string }[] }[],
): OptimizerScalars {
  const parsed = OptimizerScalars.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new EngineError(
      'optim.state.invalid',
      `The saved optimizer state cannot be read: ${issue?.path.join('.')}: ${issue?.message}.`,
      { path: issue?.path.join('.') },
    );
  }
  const state = parsed.data;
  if (state.optimizer !== optimizer) {
    throw new EngineError(
      'optim.state.other-optimizer',
      `The saved optimizer state is ${state.optimizer}'s, but the config builds ${optimizer}.`,
      { saved: state.optimizer, built: optimizer },
    );
  }
  const saved = state.param_groups.map((group) => group.params);
  const built = groups.map((group) => group.params.map((parameter) => parameter.name));
  const missing = built.flat().filter((name) => !saved.flat().includes(name));
  const unexpected = saved.flat().filter((name) => !built.flat().includes(name));
  if (missing.length > 0 || unexpected.length > 0 || saved.length !== built.length) {
    throw new EngineError(
      'optim.state.other-parameters',
      `The saved optimizer state belongs to other parameters: ${[
        saved.length === built.length ? '' : `${saved.length} groups saved, ${built.length} built`,
        missing.length === 0 ? '' : `not saved: ${listed(missing)}`,
        unexpected.length === 0 ? '' : `only saved: ${listed(unexpected)}`,
      ]
        .filter((part) => part !== '')
        .join('; ')}.`,
      { missing, unexpected, savedGroups: saved.length, builtGroups: built.length },
    );
  }
  return state;
}

function listed(names: readonly string[]): string {
  return names.slice(0, 10).join(', ') + (names.length > 10 ? `, … (${names.length})` : '');
}
