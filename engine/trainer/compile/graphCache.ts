import { spokenSignature } from './batchWatch.ts';

/** So many graphs are kept; the least recently used one goes first. */
const mostGraphs = 8;
/** From this many graphs on, each must have paid for itself. */
const patience = 12;
/** Steps that a graph should run before another one is made. */
const stepsPerGraph = 4;

/** How graphs were made so far, for a checkpoint: a resumed training is to come upon a storm at the same step. */
export interface GraphCounts {
  readonly made: number;
  readonly asked: number;
  /** Signatures of those that are kept, the least recently used first. They are made again when they are asked for. */
  readonly kept: readonly string[];
}

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
    if (this.#entries.get(signature)?.length === 0) return true;
    if (this.#made < patience || this.#asked >= this.#made * stepsPerGraph) return true;
    this.#isStorm = true;
    say(
      `Batches come in too many shapes to compile each: ${this.#made} graphs in ${this.#asked} steps, the latest for ${spokenSignature(signature)}. Steps run one operation at a time from here on; padding to fewer lengths (bucketing) would help.`,
    );
    return false;
  }

  get counts(): GraphCounts {
    return { made: this.#made, asked: this.#asked, kept: [...this.#entries.keys()] };
  }

  /** Goes on as a cache with these counts; what it kept holds its place without a graph. */
  restore({ made, asked, kept }: GraphCounts): void {
    this.#made = made;
    this.#asked = asked;
    this.#entries.clear();
    for (const signature of kept) this.#entries.set(signature, []);
  }

  /** Adds a graph; gives those that had to go. */
  add(signature: string, entry: T): readonly T[] {
    const present = this.#entries.get(signature);
    if (present?.length !== 0) this.#made++;
    this.#entries.delete(signature);
    this.#entries.set(signature, [...(present ?? []), entry]);
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
    for (const entries of this.#entries.values()) size += Math.max(1, entries.length);
    return size;
  }
}
