import { basename } from 'node:path';
import type { EngineError } from '../../api/errors.ts';
import type { PlannedSave } from '../checkpoints/policy.ts';
import type { LoopParts } from './loopParts.ts';

/**
 * Tells of checkpoints that could not be written: in full once, then shortly and ever more rarely while the reason stays,
 * and once more when it is over. A disk stays full for hours, and a log with a line for each save would be unreadable.
 */
export class SaveFailures {
  readonly #warn: LoopParts['warn'];
  #reason: string | undefined;
  #count = 0;

  constructor(warn: LoopParts['warn']) {
    this.#warn = warn;
  }

  add({ folder }: PlannedSave, { code, message }: EngineError): void {
    // an error of no kind of its own is told apart by its words
    const reason = code === 'internal' ? message : code;
    this.#count++;
    if (reason !== this.#reason) {
      this.#reason = reason;
      const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
      const what = sentence.startsWith(folder) ? sentence : `${folder} could not be written: ${sentence}`;
      this.#warn(`The checkpoint ${what} Training goes on.`, 'error');
    } else if (Number.isInteger(Math.log2(this.#count))) {
      this.#warn(
        `The checkpoint ${basename(folder)} could not be written either, for the same reason: ${this.#count} in a row.`,
        'error',
      );
    }
  }

  /** A checkpoint is safe. */
  ended({ folder }: PlannedSave): void {
    if (this.#count > 0) {
      const missing = this.#count === 1 ? 'the one before it is missing' : `the ${this.#count} before it are missing`;
      this.#warn(`Checkpoints can be written again: ${basename(folder)} is safe, ${missing}.`, 'info');
    }
    this.#reason = undefined;
    this.#count = 0;
  }
}
