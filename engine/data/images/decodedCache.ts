/** A decoded image, before anything random: 8 bits a value, rows from the top, channels last. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly info: { readonly width: number; readonly height: number };
}

/**
 * Decoded images that are kept in memory up to so many bytes. What came first stays: shuffled passes come back to each
 * image equally often, so that throwing out the oldest would only mean decoding more.
 */
export class DecodedCache {
  readonly #limit: number;
  readonly #images = new Map<string, Pixels>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  async get(path: string, decode: () => Promise<Pixels>): Promise<Pixels> {
    const known = this.#images.get(path);
    if (known !== undefined) return known;
    const pixels = await decode();
    const { byteLength } = pixels.data;
    if (!this.#images.has(path) && this.#bytes + byteLength <= this.#limit) {
      // memory of its own: a part of a larger piece would keep all of it
      const isOwn = byteLength === pixels.data.buffer.byteLength;
      this.#images.set(path, isOwn ? pixels : { ...pixels, data: pixels.data.slice() });
      this.#bytes += byteLength;
    }
    return pixels;
  }
}
