import { isAnyArrayBuffer } from 'node:util/types';
import { EngineError } from '../../api/errors.ts';
import { isPlainObject } from '../collate/collate.ts';
import { isOwned } from '../hostTensor.ts';

export interface Packed {
  readonly value: unknown;
  /** Memory that is moved to the other thread instead of being copied. */
  readonly transfer: ArrayBuffer[];
}

/**
 * Makes a batch ready to cross to another thread. Memory that collating allocated is moved; a view on larger memory
 * (a dataset's table) is copied on its own, since cloning it would take all of that memory along. Throws
 * `data.worker.value` with the place of what cannot cross: a function, a symbol, an instance of a class.
 */
export function packBatch(value: unknown): Packed {
  const transfer = new Set<ArrayBuffer>();
  return { value: pack(value, '', transfer), transfer: [...transfer] };
}

function pack(value: unknown, path: string, transfer: Set<ArrayBuffer>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw refused(path, `a ${typeof value}`);
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return packView(value, transfer);
  if (Array.isArray(value)) {
    return value.some(isDeep) ? value.map((item, i) => pack(item, join(path, i), transfer)) : value;
  }
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, pack(item, join(path, key), transfer)]));
  }
  if (isCloneable(value)) return value;
  throw refused(path, `an instance of ${value.constructor?.name ?? 'a class'}`);
}

function isDeep(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function' || typeof value === 'symbol';
}

function packView(view: ArrayBufferView, transfer: Set<ArrayBuffer>): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = view;
  if (!(buffer instanceof ArrayBuffer)) return view;
  const isWhole = byteLength === buffer.byteLength;
  if (isWhole && isOwned(view)) transfer.add(buffer);
  if (isWhole) return view;
  const copy = buffer.slice(byteOffset, byteOffset + byteLength);
  transfer.add(copy);
  if (Buffer.isBuffer(view)) return new Uint8Array(copy);
  return Reflect.construct(view.constructor, [copy]) as ArrayBufferView;
}

function isCloneable(value: object): boolean {
  return (
    value instanceof Date ||
    value instanceof RegExp ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Error ||
    isAnyArrayBuffer(value)
  );
}

function join(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`;
}

function refused(path: string, what: string): EngineError {
  return new EngineError(
    'data.worker.value',
    `The sample's ${path === '' ? 'value' : `field '${path}'`} is ${what}, which cannot cross from a worker thread. Give numbers, text, arrays or plain objects, or set num_workers: 0.`,
    { path },
  );
}
