import { EngineError } from '../../api/errors.ts';
import { shownValue } from '../../data/options.ts';

/** The config's `seed`, 0 without one. Throws `trainer.section`. */
export function readSeed(config: Readonly<Record<string, unknown>>): number {
  const seed = config.seed ?? 0;
  if (typeof seed === 'number' && Number.isSafeInteger(seed)) return seed;
  throw new EngineError('trainer.section', `'seed' must be a whole number; it is ${shownValue(seed)}.`, { seed });
}
