import * as tf from '@tensorflow/tfjs';
import type { Collective } from '../../api/training.ts';
import type { Module, NamedVariable } from '../model/module.ts';

type Model = Module<never[], unknown>;

/** Gives every rank rank 0's parameters and buffers, whatever its own initialisation made of them. */
export function shareWeights(model: Model, collective: Collective): Promise<void> {
  return share([...model.namedParameters(), ...model.namedBuffers()], collective);
}

/**
 * Gives every rank rank 0's buffers, such as BatchNorm's running means: each rank's follow its own batches. A validation
 * then judges the weights that a checkpoint holds, and a training that goes on from one is the same to the bit on all ranks.
 */
export function shareBuffers(model: Model, collective: Collective): Promise<void> {
  return share(model.namedBuffers(), collective);
}

async function share(named: readonly NamedVariable[], collective: Collective): Promise<void> {
  if (collective.worldSize === 1 || named.length === 0) return;
  const variables = named.map(({ variable }) => variable);
  const flat = new Float32Array(variables.reduce((sum, variable) => sum + variable.size, 0));
  let place = 0;
  for (const variable of variables) {
    flat.set(await variable.data(), place);
    place += variable.size;
  }
  await collective.broadcast(flat);
  if (collective.rank === 0) return;
  place = 0;
  for (const variable of variables) {
    const values = flat.slice(place, place + variable.size);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape).cast(variable.dtype)));
    place += variable.size;
  }
}
