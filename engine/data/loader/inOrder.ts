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
  for (let index = options.start; index < options.end; index++) {
    const raw = ahead.shift() ?? options.read(next++);
    if (raw instanceof Promise) {
      while (ahead.length < options.readAhead && next < options.end) ahead.push(begin(options.read(next++)));
    }
    yield options.finish(index, raw instanceof Promise ? await raw : raw);
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
