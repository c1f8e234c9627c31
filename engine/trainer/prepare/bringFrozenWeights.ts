import type { FrozenWeights } from '../../checkpoint/index.ts';
import { checkFrozen } from '../checkpoints/frozenWeights.ts';
import type { Module } from '../model/module.ts';
import { manualSeed } from '../model/randomness.ts';
import { loadPretrained, readPretrained } from './loadPretrained.ts';
import { readSeed } from './readSeed.ts';

/**
 * A model as its training began with it, for a checkpoint that holds trained weights only: built after the same seed, with
 * the config's pretrained weights. Throws `checkpoint.frozen` when its frozen weights are not those of the training.
 */
export async function bringFrozenWeights(
  build: () => Promise<Module<never[], unknown>>,
  config: Readonly<Record<string, unknown>>,
  frozen: FrozenWeights,
  source: string,
): Promise<Module<never[], unknown>> {
  manualSeed(readSeed(config));
  const model = await build();
  const pretrained = readPretrained(config);
  if (pretrained !== undefined) await loadPretrained(model, pretrained);
  await checkFrozen(model, frozen, source);
  return model;
}
