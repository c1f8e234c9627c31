/**
 * JSON that also keeps what plain JSON loses: NaN, infinities, `Float64Array` and `Uint8Array` (base64 of little-endian
 * bytes). Everything else is written as JSON writes it. An object that would look like one of our tags is wrapped, so any
 * plain value comes back as it went in.
 */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(encode(value));
}

export function parseExact(text: string): unknown {
  return decode(JSON.parse(text));
}

/** Part of a value that would not come back as it was, and what it is, in words. */
export interface Unsaveable {
  /** Keys and indices with dots between them; empty for the value itself. */
  readonly path: string;
  readonly what: string;
}

/**
 * A copy that later changes to the value do not reach, and that `stringifyExact` and `parseExact` give back as it is.
 * Properties that are undefined are left out. Throws what `refuse` makes of the first part that they would lose.
 */
export function copyExact(
  value: unknown,
  refuse: (part: Unsaveable) => Error,
  path = '',
  around: readonly object[] = [],
): unknown {
  const refused = (what: string) => refuse({ path, what });
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (value === undefined) throw refused('undefined');
  if (typeof value !== 'object') throw refused(`a ${typeof value}`);
  if (value instanceof Float64Array || value instanceof Uint8Array) return value.slice();
  if (around.includes(value)) throw refused('an object that lies within itself');
  const inside = [...around, value];
  const copy = (key: string | number, item: unknown) =>
    copyExact(item, refuse, path === '' ? String(key) : `${path}.${key}`, inside);
  if (Array.isArray(value)) return value.map((item, i) => copy(i, item));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refused(value instanceof Promise ? 'a promise' : `an instance of ${value.constructor?.name || 'a class'}`);
  }
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(pairs.map(([key, item]) => [key, copy(key, item)]));
}

const NUMBER = '$number';
const FLOAT64 = '$float64';
const BYTES = '$bytes';
const OBJECT = '$object';
const TAGS: ReadonlySet<string> = new Set([NUMBER, FLOAT64, BYTES, OBJECT]);

function encode(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { [NUMBER]: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Float64Array) {
    return { [FLOAT64]: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  if (value instanceof Uint8Array) return { [BYTES]: toBase64(value) };
  if (Array.isArray(value)) return value.map(encode);
  const pairs = Object.entries(value);
  const encoded = Object.fromEntries(pairs.map(([key, item]) => [key, encode(item)]));
  return pairs.some(([key]) => TAGS.has(key)) ? { [OBJECT]: encoded } : encoded;
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  const pairs = Object.entries(value);
  const [first] = pairs;
  if (pairs.length === 1 && first) {
    const [tag, content] = first;
    if (tag === OBJECT && typeof content === 'object' && content !== null) return decodeObject(Object.entries(content));
    if (typeof content === 'string') {
      if (tag === NUMBER) return Number(content);
      if (tag === BYTES) return fromBase64(content);
      if (tag === FLOAT64) return new Float64Array(fromBase64(content).buffer);
    }
  }
  return decodeObject(pairs);
}

/** `fromEntries` defines own properties, so a key named `__proto__` stays data. */
function decodeObject(pairs: readonly [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(([key, item]) => [key, decode(item)]));
}

function toBase64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  // In pieces: `fromCharCode` takes its bytes as arguments, and those are limited.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    chunks.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(chunks.join(''));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
