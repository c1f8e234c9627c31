import type { TrainerSubject } from '../hooks.ts';
import type { LoopParts } from './loopParts.ts';

/** Tells, once, of weights that a hook freed which were frozen when training began: they have no part in it. */
export class FreedWeights {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  readonly #trained: ReadonlySet<unknown>;
  #isTold = false;

  constructor(subject: TrainerSubject, parts: LoopParts) {
    this.#subject = subject;
    this.#parts = parts;
    this.#trained = new Set(parts.parameters.map(({ variable }) => variable));
  }

  look(): void {
    if (this.#isTold) return;
    const freed = this.#subject.model
      .namedParameters()
      .filter(({ variable }) => variable.trainable && !this.#trained.has(variable))
      .map(({ name }) => name);
    const [first] = freed;
    if (first === undefined) return;
    this.#isTold = true;
    const which = freed.length === 1 ? `'${first}' was` : `'${first}' and ${freed.length - 1} other parameters were`;
    this.#parts.warn(
      `${which} frozen when training began: freed now, they are still not trained. What is to be trained later must be free at the beginning: freeze it in on_train_start.`,
    );
  }
}
