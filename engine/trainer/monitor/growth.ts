/** A count that keeps growing, found by the lowest value of each of several windows in a row. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  /** Windows between the two. */
  readonly windows: number;
}

export interface GrowthOptions {
  /** Windows in a row that must each have a higher minimum than the one before. */
  readonly windows: number;
  /** How much the first and the last minimum must differ at least. */
  least(first: number): number;
}

/**
 * Watches the floor of a fluctuating number: what comes and goes raises a window's maximum, only what stays raises its
 * minimum. One window whose minimum does not rise starts the watch anew.
 */
export class GrowthWatch {
  readonly #options: GrowthOptions;
  #minima: number[] = [];

  constructor(options: GrowthOptions) {
    this.#options = options;
  }

  /** Takes the minimum of a window; the growth, once it is beyond doubt. */
  take(minimum: number): Growth | undefined {
    const last = this.#minima.at(-1);
    if (last !== undefined && minimum <= last) this.#minima = [];
    this.#minima.push(minimum);
    const { windows, least } = this.#options;
    if (this.#minima.length > windows) this.#minima.shift();
    const from = this.#minima[0];
    if (this.#minima.length < windows || from === undefined || minimum - from < least(from)) return undefined;
    return { from, to: minimum, windows: windows - 1 };
  }

  reset(): void {
    this.#minima = [];
  }
}
