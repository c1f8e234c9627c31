/** A float used as a key; a plain `number` key is an integer. */
export class FloatKey {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Bytes used as a key. */
export class BytesKey {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/**
 * A mapping's key with its type: string, bool, integer (bigint beyond 2^53-1), float or bytes. A null key occurs only in
 * what a resolver returned; files cannot have one.
 */
export type ConfigKey = string | boolean | number | bigint | null | FloatKey | BytesKey;

export type KeyType = 'str' | 'bool' | 'int' | 'float' | 'bytes' | 'null';

/** What a Map compares: two keys are the same key when their identities are equal. */
export type KeyIdentity = string | number | bigint | symbol;

const NULL_IDENTITY = Symbol('null key');

export function keyType(key: ConfigKey): KeyType {
  if (key === null) return 'null';
  if (typeof key === 'string') return 'str';
  if (typeof key === 'boolean') return 'bool';
  if (key instanceof FloatKey) return 'float';
  if (key instanceof BytesKey) return 'bytes';
  return 'int';
}

/** Python's key equality: 1, 1.0 and True are one key, '1' and b'1' are others. */
export function keyIdentity(key: ConfigKey): KeyIdentity {
  if (typeof key === 'string') return key;
  if (key === null) return NULL_IDENTITY;
  if (typeof key === 'boolean') return key ? 1 : 0;
  if (key instanceof FloatKey) return numberIdentity(key.value);
  // A registered symbol can never collide with a string key of the same characters.
  if (key instanceof BytesKey) return Symbol.for(`bytes:${Buffer.from(key.bytes).toString('hex')}`);
  return typeof key === 'bigint' ? bigintIdentity(key) : numberIdentity(key);
}

function numberIdentity(value: number): number | bigint {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
}

function bigintIdentity(value: bigint): number | bigint {
  const narrow = Number(value);
  return Number.isSafeInteger(narrow) ? narrow : value;
}
