type Turn = () => void;

/** Turns taken without a pause, for what is nearly done; and the pause between later ones, in milliseconds. */
const quickTurns = 100;
const pauseMs = 0.2;

/**
 * Dawn does its waiting on the event loop: while something is under way it takes a turn in every `setImmediate`. This lets
 * those turns be taken at once instead, so that a result can be waited for without going back to the event loop.
 */
export class DawnTurns {
  readonly #schedule = globalThis.setImmediate;
  readonly #nobody = new Int32Array(new SharedArrayBuffer(4));
  #next: Turn | undefined;
  #isWaiting = false;

  /** Must be called before Dawn's first turn. Every other caller of `setImmediate` gets what it always got. */
  listen(): void {
    const listening = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
      if (!isDawns(callback)) return this.#schedule(callback, ...args);
      this.#next = callback;
      return this.#isWaiting ? undefined : this.#schedule(() => this.#take(callback));
    };
    Object.defineProperties(listening, Object.getOwnPropertyDescriptors(this.#schedule));
    Object.defineProperty(globalThis, 'setImmediate', { value: listening, configurable: true, writable: true });
  }

  /** Takes turns until `isDone` holds, or until Dawn wants no more of them. */
  waitFor(isDone: () => boolean): void {
    this.#isWaiting = true;
    try {
      for (let taken = 0; !isDone() && this.#next !== undefined; taken++) {
        if (taken > quickTurns) Atomics.wait(this.#nobody, 0, 0, pauseMs);
        this.#take(this.#next);
      }
    } finally {
      this.#isWaiting = false;
      const next = this.#next;
      if (next !== undefined) this.#schedule(() => this.#take(next));
    }
  }

  /** A turn that was taken before its time does nothing when that comes. */
  #take(turn: Turn): void {
    if (this.#next !== turn) return;
    this.#next = undefined;
    turn();
  }
}

/** Native functions without a name: those of JavaScript have none of that text, bound ones have a name. */
function isDawns(callback: (...args: unknown[]) => void): boolean {
  return callback.name === '' && /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(callback));
}
