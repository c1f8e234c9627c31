/** Time as a dependency, so that pure code and tests do not sleep. Milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Milliseconds since some moment, for durations: setting the machine's clock does not move it. */
export const steadyClock: Clock = { now: () => performance.now() };
