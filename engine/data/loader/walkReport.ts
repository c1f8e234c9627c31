import { type Clock, steadyClock } from '../../base/clock.ts';
import { nameOf } from '../dataset/stateful.ts';

const everyMs = 10_000;

/** Tells how far reading again has come, where data can only be read from its beginning: at once, then now and then. */
export class WalkReport {
  readonly #what: string;
  readonly #why: string;
  readonly #tell: (text: string) => void;
  readonly #clock: Clock;
  #told: number | undefined;

  constructor(what: string, why: string, tell: (text: string) => void, clock: Clock = steadyClock) {
    this.#what = what;
    this.#why = why;
    this.#tell = tell;
    this.#clock = clock;
  }

  /** `done` of `total` batches of this process are gone by. */
  passed(done: number, total: number): void {
    const now = this.#clock.now();
    const isFirst = this.#told === undefined;
    if (!isFirst && now - (this.#told ?? 0) < everyMs) return;
    this.#told = now;
    const again = `${this.#what} is read again`;
    this.#tell(
      isFirst
        ? `${again} up to batch ${total}, where this goes on: ${this.#why}.`
        : `${again}: batch ${done} of ${total}.`,
    );
  }
}

/** Of a stream that can do no better. */
export function streamWalk(dataset: object, tell: (text: string) => void): WalkReport {
  const why = 'it has neither state_dict and load_state_dict nor canSkip';
  return new WalkReport(`The stream ${nameOf(dataset)}`, why, tell);
}
