import { createHash } from 'node:crypto';
import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import type { FrozenWeights } from '../../checkpoint/index.ts';
import type { NamedVariable } from '../model/module.ts';
import type { CheckpointContent } from './checkpointFiles.ts';
import { fittingModel } from './fit.ts';

interface StatefulModel {
  namedParameters(): readonly NamedVariable[];
  stateDict(): ReadonlyMap<string, tf.Tensor>;
}

/** Parameters that are not trained. */
export function frozenParameters(model: Pick<StatefulModel, 'namedParameters'>): readonly NamedVariable[] {
  return model.namedParameters().filter(({ variable }) => !variable.trainable);
}

/** What a checkpoint holds of the model: everything, or all but the frozen parameters. */
export function savedWeights(
  model: StatefulModel,
  { save_trainable_only: isPartial }: { readonly save_trainable_only: boolean },
): ReadonlyMap<string, tf.Tensor> {
  const state = model.stateDict();
  if (!isPartial) return state;
  const frozen = new Set(frozenParameters(model).map(({ name }) => name));
  return new Map([...state].filter(([name]) => !frozen.has(name)));
}

/** Names and hash of parameters; undefined where there are none. The hash is over name, shape and bytes, by name. */
export async function describeFrozen(parameters: readonly NamedVariable[]): Promise<FrozenWeights | undefined> {
  if (parameters.length === 0) return undefined;
  const hash = createHash('sha256');
  const ordered = parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, variable } of ordered) {
    const { buffer, byteOffset, byteLength } = await variable.data();
    hash.update(`${name}\0${variable.dtype}[${variable.shape}]\0`);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return { names: ordered.map(({ name }) => name), sha256: hash.digest('hex') };
}

/**
 * Puts a checkpoint's weights into the model. What it leaves out must be in the model already, and be what it was.
 * Throws `trainer.other-model` for another model's weights and `checkpoint.frozen` for other frozen ones.
 */
export async function loadWeights(
  model: StatefulModel & { loadStateDict(state: CheckpointContent['model'], options: object): unknown },
  { model: state, frozen }: Pick<CheckpointContent, 'model' | 'frozen'>,
  source: string,
): Promise<void> {
  const optional = new Set(frozen?.names);
  if (frozen !== undefined) await checkFrozen(model, frozen, source);
  fittingModel(source, () => model.loadStateDict(state, { optional }));
}

/** Throws `checkpoint.frozen` unless the model has exactly the weights that a checkpoint left out. */
export async function checkFrozen(
  model: Pick<StatefulModel, 'namedParameters'>,
  { names, sha256 }: FrozenWeights,
  source: string,
): Promise<void> {
  const wanted = new Set(names);
  const found = model.namedParameters().filter(({ name }) => wanted.has(name));
  if (found.length === names.length && (await describeFrozen(found))?.sha256 === sha256) return;
  const known = new Set(found.map(({ name }) => name));
  const lost = names.filter((name) => !known.has(name));
  const what = lost.length > 0 ? `the model has no ${listed(lost)}` : 'the model has others under these names';
  throw new EngineError(
    'checkpoint.frozen',
    `${source} holds trained weights only (save_trainable_only). It was trained with ${names.length} frozen ones (${listed(names)}), but ${what}. They come from the model's constructor or from load_pretrained: give the same file and seed as in training.`,
    { source, names },
  );
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, 4).join(', ')}${names.length > 4 ? ', …' : ''}`;
}
