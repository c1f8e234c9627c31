import * as tf from '@tensorflow/tfjs';
import { type StandInNames, studioUrl, workerEntryUrl } from './standIns.ts';

/** The names that a worker thread needs stand-ins for, as this process knows them. */
export async function standInNames(): Promise<StandInNames> {
  // Asked while running: both modules import the data part, so that a written import here would be a circle.
  const [studio, real] = await Promise.all([namesOf(studioUrl), namesOf(workerEntryUrl)]);
  return { tensorflow: Object.keys(tf), studio: studio.filter((name) => !real.includes(name)) };
}

async function namesOf(url: string): Promise<readonly string[]> {
  const module: object = await import(/* @vite-ignore */ url);
  return Object.keys(module);
}
