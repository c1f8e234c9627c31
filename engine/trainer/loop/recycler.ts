import type { TrainerSubject } from '../hooks.ts';
import type { LoopParts } from './loopParts.ts';

/**
 * Decides, when a checkpoint was written, whether a new process is to go on from it: after a leak was found, where
 * leak_guard.recycle_worker_at_checkpoint asks for it. Ranks decide together.
 */
export class Recycler {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  #isDue = false;

  constructor(subject: TrainerSubject, parts: LoopParts) {
    this.#subject = subject;
    this.#parts = parts;
    if (this.#isWanted && subject.environment.canRecycle !== true) {
      parts.warn(
        'leak_guard.recycle_worker_at_checkpoint is true, but nobody would start a new process: it works under `accelhydra train`.',
      );
    }
  }

  get #isWanted(): boolean {
    return this.#subject.settings.leak_guard?.recycle_worker_at_checkpoint === true;
  }

  /** Whether this process is to end. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** An epoch or step checkpoint is safe. Collective: every rank calls it. */
  async saved(): Promise<void> {
    const { collective, canRecycle } = this.#subject.environment;
    if (!this.#isWanted || canRecycle !== true) return;
    const wishes = await collective.allGather(this.#parts.leaks?.isTrouble === true);
    this.#isDue = wishes.includes(true);
  }
}
