/**
 * Random numbers that depend only on (seed, stream, position): Philox4x32-10 of Salmon, Moraes, Dror and Shaw,
 * "Parallel Random Numbers: As Easy as 1, 2, 3" (SC11). The key is the seed's 64 bits; the 128-bit counter holds the
 * number of the block of four words (low half) and the stream (high half), so streams never meet and skipping is free.
 */
export interface RandomState {
  readonly algorithm: 'philox4x32-10';
  readonly seed: number;
  readonly stream: number;
  /** How many 32-bit words were drawn. */
  readonly position: number;
}

const multiplierA = 0xd2511f53;
const multiplierB = 0xcd9e8d57;
const weylA = 0x9e3779b9;
const weylB = 0xbb67ae85;
const two32 = 2 ** 32;

/** One Philox4x32-10 block: `counter` (4 words) is enciphered under `key` (2 words) into `out` (4 words). */
export function philoxBlock(counter: ArrayLike<number>, key: ArrayLike<number>, out: Uint32Array, offset = 0): void {
  let c0 = (counter[0] ?? 0) >>> 0;
  let c1 = (counter[1] ?? 0) >>> 0;
  let c2 = (counter[2] ?? 0) >>> 0;
  let c3 = (counter[3] ?? 0) >>> 0;
  let k0 = (key[0] ?? 0) >>> 0;
  let k1 = (key[1] ?? 0) >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(multiplierA, c0);
    const low0 = Math.imul(multiplierA, c0) >>> 0;
    const high1 = multiplyHigh(multiplierB, c2);
    const low1 = Math.imul(multiplierB, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + weylA) >>> 0;
    k1 = (k1 + weylB) >>> 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

// In pieces of 16 bits: every partial sum stays below 2^32, so that it never leaves whole-number arithmetic.
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = ((Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const middle2 = ((Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (middle2 >>> 16)) >>> 0;
}

/**
 * A seed for a purpose: equal for equal arguments, unrelated for others (FNV-1a over the labels, mixed by Philox).
 * The result is a non-negative safe integer.
 */
export function deriveSeed(seed: number, ...labels: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const label of labels) hash = hashed(`${typeof label}:${label};`, hash);
  const out = new Uint32Array(4);
  philoxBlock([hash, labels.length, 0x5eed, 0], seedWords(seed), out);
  return ((out[0] ?? 0) & 0x1fffff) * two32 + (out[1] ?? 0);
}

/** By code points, without a string for each of them: each augmented sample has a seed of its own. */
function hashed(text: string, before: number): number {
  let hash = before;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0;
    if (code > 0xffff) i++;
    hash = Math.imul(hash ^ code, 0x01000193) >>> 0;
  }
  return hash;
}

function seedWords(seed: number): readonly [number, number] {
  const whole = Math.abs(Math.trunc(seed));
  const sign = seed < 0 ? 0x80000000 : 0;
  return [whole >>> 0, (Math.floor(whole / two32) | sign) >>> 0];
}

/** A stream of random numbers whose whole state is JSON. Not for secrets. */
export class Random {
  readonly #block = new Uint32Array(4);
  readonly #counter = new Uint32Array(4);
  readonly #key = new Uint32Array(2);
  #seed = 0;
  #stream = 0;
  #position = 0;

  /** `seed` and `stream` are safe integers; equal pairs give equal numbers on every machine. */
  constructor(seed: number, stream = 0) {
    this.#start(seed, stream, 0);
  }

  #start(seed: number, stream: number, position: number): void {
    if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(stream) || stream < 0 || !Number.isSafeInteger(position)) {
      throw new RangeError(`A random stream needs whole numbers: seed ${seed}, stream ${stream}, position ${position}`);
    }
    this.#seed = seed;
    this.#stream = stream;
    this.#position = position;
    const [low, high] = seedWords(seed);
    this.#key[0] = low;
    this.#key[1] = high;
    this.#counter[2] = stream >>> 0;
    this.#counter[3] = Math.floor(stream / two32);
    if (position % 4 !== 0) this.#fill();
  }

  #fill(): void {
    const block = Math.floor(this.#position / 4);
    this.#counter[0] = block >>> 0;
    this.#counter[1] = Math.floor(block / two32);
    philoxBlock(this.#counter, this.#key, this.#block);
  }

  /** A whole number in [0, 2^32). */
  nextUint32(): number {
    const lane = this.#position % 4;
    if (lane === 0) this.#fill();
    this.#position++;
    return this.#block[lane] ?? 0;
  }

  /** As many words as `out` holds: the same as calling `nextUint32` for each, only faster. */
  fill(out: Uint32Array): void {
    let index = 0;
    while (index < out.length && this.#position % 4 !== 0) out[index++] = this.nextUint32();
    for (; index + 4 <= out.length; index += 4) {
      const block = this.#position / 4;
      this.#counter[0] = block >>> 0;
      this.#counter[1] = Math.floor(block / two32);
      philoxBlock(this.#counter, this.#key, out, index);
      this.#position += 4;
    }
    while (index < out.length) out[index++] = this.nextUint32();
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A whole number in [0, bound), without bias; `bound` is at most 2^32. */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > two32) throw new RangeError(`integer() has no bound ${bound}`);
    const limit = two32 - (two32 % bound);
    let value = this.nextUint32();
    while (value >= limit) value = this.nextUint32();
    return value % bound;
  }

  /** A number from the standard normal distribution (Box-Muller, the cosine half). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The numbers 0 … length-1 in random order (Fisher-Yates from the end). */
  permutation(length: number): Int32Array {
    const order = new Int32Array(length);
    for (let i = 0; i < length; i++) order[i] = i;
    this.shuffle(order);
    return order;
  }

  /** Shuffles in place. */
  shuffle(values: Int32Array): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swap = values[i] ?? 0;
      values[i] = values[j] ?? 0;
      values[j] = swap;
    }
  }

  state(): RandomState {
    return { algorithm: 'philox4x32-10', seed: this.#seed, stream: this.#stream, position: this.#position };
  }

  /** Continues exactly where `state()` was taken. */
  restore(state: RandomState): void {
    if (state.algorithm !== 'philox4x32-10') throw new RangeError(`Unknown random algorithm '${state.algorithm}'`);
    this.#start(state.seed, state.stream, state.position);
  }
}
