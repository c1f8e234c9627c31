/** Reading a row of things ahead of use. */
export interface InOrderOptions<Raw, Item> {
  readonly start: number;
  readonly end: number;
  /** How many may be under way when reading waits for something. */
  readonly readAhead: number;
  read(index: number): Raw | Promise<Raw>;
  /** Runs when the item is wanted, not before: this is where device memory is taken. */
  finish(index: number, raw: Raw): Item;
}

/**
 * Gives the items start … end-1 in order. Reading that gives a promise is begun up to `readAhead` items early; reading
 * that gives a value happens when the item is wanted, since doing it early on one thread would gain nothing.
 */
export class InOrder<Raw, Item extends object> implements AsyncIterableIterator<Item> {
  readonly #options: InOrderOptions<Raw, Item>;
  readonly #ahead: Promise<Raw>[] = [];
  /** The first that was not asked for. */
  #next: number;
  /** The next to be given. */
  #index: number;
  #isOver = false;

  constructor(options: InOrderOptions<Raw, Item>) {
    this.#options = options;
    this.#next = options.start;
    this.#index = options.start;
  }

  /** The next item where nothing has to be waited for; undefined where `next` is to be asked. */
  take(): Item | undefined {
    if (this.#isOver || this.#ahead.length > 0 || this.#next >= this.#options.end) return undefined;
    return this.#ending(() => {
      const raw = this.#options.read(this.#next++);
      if (!(raw instanceof Promise)) return this.#options.finish(this.#index++, raw);
      this.#ahead.push(begin(raw));
      return undefined;
    });
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.take() ?? (await this.#wait());
    return item === undefined ? { value: undefined, done: true } : { value: item, done: false };
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#isOver = true;
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #wait(): Promise<Item | undefined> {
    const first = this.#isOver ? undefined : this.#ahead.shift();
    if (first === undefined) return undefined;
    const index = this.#index++;
    this.#ending(() => this.#readAhead());
    try {
      const raw = await first;
      return this.#isOver ? undefined : this.#ending(() => this.#options.finish(index, raw));
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }

  #readAhead(): void {
    const { readAhead, end, read } = this.#options;
    while (this.#ahead.length < readAhead && this.#next < end) this.#ahead.push(begin(read(this.#next++)));
  }

  /** Nothing comes after an error. */
  #ending<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }
}

/**
 * A read that failed early is told when its turn comes, or never if nobody gets that far: until then Node must not take
 * the rejection for one that nobody handles, which would end the process.
 */
function begin<Raw>(raw: Raw | Promise<Raw>): Promise<Raw> {
  const promise = raw instanceof Promise ? raw : Promise.resolve(raw);
  promise.catch(() => undefined);
  return promise;
}
