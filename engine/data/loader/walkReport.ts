import { type Clock, steadyClock } from '../../base/clock.ts';

const everyMs = 10_000;

/** Tells how far reading again has come, where a stream can only be read from its beginning: at once, then now and then. */
export class WalkReport {
  readonly #name: string;
  readonly #tell: (text: string) => void;
  readonly #clock: Clock;
  #told: number | undefined;

  constructor(name: string, tell: (text: string) => void, clock: Clock = steadyClock) {
    this.#name = name;
    this.#tell = tell;
    this.#clock = clock;
  }

  /** `done` of `total` batches of this process are gone by. */
  passed(done: number, total: number): void {
    const now = this.#clock.now();
    const isFirst = this.#told === undefined;
    if (!isFirst && now - (this.#told ?? 0) < everyMs) return;
    this.#told = now;
    const why = 'it has neither state_dict and load_state_dict nor canSkip';
    const text = isFirst
      ? `is read again up to batch ${total}, where this goes on: ${why}`
      : `batch ${done} of ${total}`;
    this.#tell(`The stream ${this.#name}${isFirst ? ' ' : ' is read again: '}${text}.`);
  }
}
