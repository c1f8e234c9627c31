import { dialog } from 'electron';
import type { EngineError } from '../../engine/api/errors.ts';

/** The app could not start: says why in a window of the system's own, and on stderr for whoever started it there. */
export function showFailure(error: EngineError): void {
  process.stderr.write(`AccelHydra Studio cannot start: ${error.message}\n`);
  dialog.showErrorBox('AccelHydra Studio cannot start', error.message);
}
