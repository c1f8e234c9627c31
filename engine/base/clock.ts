/** Time as a dependency, so that pure code and tests do not sleep. Milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
