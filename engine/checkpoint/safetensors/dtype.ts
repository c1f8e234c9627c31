/** Arrays that hold a tensor's numbers as they lie in the file. */
export type TensorArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

interface DtypeInfo {
  readonly bytes: number;
  /** A view on bytes that are aligned for it. */
  view(buffer: ArrayBuffer, offset: number, length: number): TensorArray;
}

/**
 * Every dtype we read and write, in the order in which Python's writer lays tensors out, so that wider ones come first.
 * F16, BF16 and the 8-bit floats come as their raw bits; booleans as 0 and 1.
 */
const table = {
  U64: { bytes: 8, view: (buffer, offset, length) => new BigUint64Array(buffer, offset, length) },
  I64: { bytes: 8, view: (buffer, offset, length) => new BigInt64Array(buffer, offset, length) },
  F64: { bytes: 8, view: (buffer, offset, length) => new Float64Array(buffer, offset, length) },
  F32: { bytes: 4, view: (buffer, offset, length) => new Float32Array(buffer, offset, length) },
  U32: { bytes: 4, view: (buffer, offset, length) => new Uint32Array(buffer, offset, length) },
  I32: { bytes: 4, view: (buffer, offset, length) => new Int32Array(buffer, offset, length) },
  BF16: { bytes: 2, view: (buffer, offset, length) => new Uint16Array(buffer, offset, length) },
  F16: { bytes: 2, view: (buffer, offset, length) => new Uint16Array(buffer, offset, length) },
  U16: { bytes: 2, view: (buffer, offset, length) => new Uint16Array(buffer, offset, length) },
  I16: { bytes: 2, view: (buffer, offset, length) => new Int16Array(buffer, offset, length) },
  F8_E4M3: { bytes: 1, view: (buffer, offset, length) => new Uint8Array(buffer, offset, length) },
  F8_E5M2: { bytes: 1, view: (buffer, offset, length) => new Uint8Array(buffer, offset, length) },
  I8: { bytes: 1, view: (buffer, offset, length) => new Int8Array(buffer, offset, length) },
  U8: { bytes: 1, view: (buffer, offset, length) => new Uint8Array(buffer, offset, length) },
  BOOL: { bytes: 1, view: (buffer, offset, length) => new Uint8Array(buffer, offset, length) },
} satisfies Record<string, DtypeInfo>;

export type Dtype = keyof typeof table;

export const dtypes: readonly Dtype[] = Object.keys(table).filter(isDtype);

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(table, name);
}

export function bytesPerElement(dtype: Dtype): number {
  return table[dtype].bytes;
}

/**
 * The tensor's numbers within the bytes of a file; copied only where they are not aligned.
 * @param offset of the first byte within `bytes`
 */
export function viewOf(dtype: Dtype, bytes: Uint8Array<ArrayBuffer>, offset: number, length: number): TensorArray {
  const { bytes: width, view } = table[dtype];
  const start = bytes.byteOffset + offset;
  if (start % width === 0) return view(bytes.buffer, start, length);
  return view(bytes.slice(offset, offset + length * width).buffer, 0, length);
}

/** IEEE 754 half precision, given as raw bits. */
export function halfToFloat32(bits: Uint16Array): Float32Array {
  const result = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) {
    const half = bits[index] ?? 0;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    const sign = half & 0x8000 ? -1 : 1;
    if (exponent === 0) result[index] = sign * fraction * 2 ** -24;
    else if (exponent === 31) result[index] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    else result[index] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return result;
}

/** bfloat16, given as raw bits: the upper half of a float32. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index++) words[index] = (bits[index] ?? 0) << 16;
  return new Float32Array(words.buffer);
}
