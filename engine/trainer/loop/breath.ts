import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';

/** A loop over tensors never waits by itself; this lets timers, sockets and signals be heard often enough for people. */
export class Breath {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #last: number;

  constructor(clock: Clock, everyMs = 100) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#last = clock.now();
  }

  get isDue(): boolean {
    return this.#clock.now() - this.#last >= this.#everyMs;
  }

  async take(): Promise<void> {
    await setImmediate();
    this.#last = this.#clock.now();
  }
}
