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
export async function* inOrder<Raw, Item>(options: InOrderOptions<Raw, Item>): AsyncGenerator<Item, void, undefined> {
  const ahead: Promise<Raw>[] = [];
  let next = options.start;
  try {
    for (let index = options.start; index < options.end; index++) {
      const raw = ahead.shift() ?? options.read(next++);
      if (raw instanceof Promise) {
        while (ahead.length < options.readAhead && next < options.end) {
          const early = options.read(next++);
          ahead.push(early instanceof Promise ? early : Promise.resolve(early));
        }
      }
      yield options.finish(index, raw instanceof Promise ? await raw : raw);
    }
  } finally {
    // Whoever stops early leaves reads under way; their failures concern nobody any more.
    for (const raw of ahead) raw.catch(() => undefined);
  }
}
