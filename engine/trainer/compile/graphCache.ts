/** So many graphs are kept; the least recently used one goes first. */
const mostGraphs = 8;
/** From this many graphs on, each must have paid for itself. */
const patience = 12;
/** Steps that a graph should run before another one is made. */
const stepsPerGraph = 4;

/** Graphs by signature. */
export class GraphCache<T> {
  readonly #entries = new Map<string, T[]>();
  #made = 0;
  #asked = 0;
  #isStorm = false;

  find(signature: string, fits: (entry: T) => boolean): T | undefined {
    this.#asked++;
    const entries = this.#entries.get(signature);
    const found = entries?.find(fits);
    if (found !== undefined && entries !== undefined && this.#entries.size > 1) {
      this.#entries.delete(signature);
      this.#entries.set(signature, entries);
    }
    return found;
  }

  /** False once nearly every step would need a graph of its own: making them costs more than they save. */
  mayAdd(signature: string, say: (text: string) => void): boolean {
    if (this.#isStorm) return false;
    if (this.#made < patience || this.#asked >= this.#made * stepsPerGraph) return true;
    this.#isStorm = true;
    say(
      `Batches come in too many shapes to compile each: ${this.#made} graphs in ${this.#asked} steps, the latest for ${signature.trim()}. Further shapes run one operation at a time; padding to fewer lengths (bucketing) would help.`,
    );
    return false;
  }

  /** Adds a graph; gives those that had to go. */
  add(signature: string, entry: T): readonly T[] {
    this.#made++;
    this.#entries.set(signature, [...(this.#entries.get(signature) ?? []), entry]);
    const gone: T[] = [];
    while (this.#size > mostGraphs) {
      const [oldest, entries] = [...this.#entries][0] ?? [];
      if (oldest === undefined || entries === undefined) break;
      const first = entries.shift();
      if (first !== undefined) gone.push(first);
      if (entries.length === 0) this.#entries.delete(oldest);
    }
    return gone;
  }

  clear(): readonly T[] {
    const all = [...this.#entries.values()].flat();
    this.#entries.clear();
    return all;
  }

  get #size(): number {
    let size = 0;
    for (const entries of this.#entries.values()) size += entries.length;
    return size;
  }
}
