import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';

/** A loop over tensors never waits by itself; this lets timers, sockets and signals be heard every few milliseconds. */
export class Breath {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #last: number;

  constructor(clock: Clock, everyMs = 20) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#last = clock.now();
  }

  async take(): Promise<void> {
    const now = this.#clock.now();
    // a clock set back must not silence the process
    if (now >= this.#last && now - this.#last < this.#everyMs) return;
    await setImmediate();
    this.#last = this.#clock.now();
  }
}
