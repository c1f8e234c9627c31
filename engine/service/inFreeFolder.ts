import { EngineError } from '../api/errors.ts';

/**
 * Prepares a run and starts it, and prepares it anew where another one that was started at the same moment took the free
 * folder. A folder that a person named is refused by `prepare` then. Throws what either throws.
 */
export async function inFreeFolder<Prepared, Started>(
  prepare: () => Prepared,
  start: (prepared: Prepared) => Promise<Started>,
): Promise<Started> {
  for (;;) {
    const prepared = prepare();
    try {
      return await start(prepared);
    } catch (error) {
      if (!EngineError.is(error, 'launch.folder-taken')) throw error;
    }
  }
}
