import * as tf from '@tensorflow/tfjs';
import type { Collective } from '../../api/training.ts';
import type { Module } from '../model/module.ts';

/** Gives every rank rank 0's parameters and buffers, whatever its own initialisation made of them. */
export async function shareWeights(model: Module<never[], unknown>, collective: Collective): Promise<void> {
  if (collective.worldSize === 1) return;
  const variables = [...model.namedParameters(), ...model.namedBuffers()].map(({ variable }) => variable);
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
