import { changesOutside } from './changesOutside.ts';
import { usesIndex } from './usesIndex.ts';

/** Whether a step's text shows that its JavaScript has to run each time: it uses batch_idx, or changes what lies outside. */
export function needsHost(step: (...parameters: never[]) => unknown): boolean {
  return usesIndex(step) || changesOutside(step) !== undefined;
}
