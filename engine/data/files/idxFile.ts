import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { EngineError } from '../../api/errors.ts';
import { type HostArray, sizeOf } from '../hostTensor.ts';

/** An IDX file's content: the format of MNIST and its kin (Yann LeCun's description: magic, sizes, big-endian data). */
export interface IdxContent {
  readonly data: HostArray;
  readonly shape: readonly number[];
}

const kinds: Readonly<Record<number, { readonly bytes: number; read(view: DataView, count: number): HostArray }>> = {
  8: { bytes: 1, read: (view, count) => new Uint8Array(view.buffer, view.byteOffset, count) },
  9: { bytes: 1, read: (view, count) => new Int8Array(view.buffer, view.byteOffset, count) },
  11: { bytes: 2, read: (view, count) => Int16Array.from({ length: count }, (_, i) => view.getInt16(i * 2)) },
  12: { bytes: 4, read: (view, count) => Int32Array.from({ length: count }, (_, i) => view.getInt32(i * 4)) },
  13: { bytes: 4, read: (view, count) => Float32Array.from({ length: count }, (_, i) => view.getFloat32(i * 4)) },
  14: { bytes: 8, read: (view, count) => Float64Array.from({ length: count }, (_, i) => view.getFloat64(i * 8)) },
};

/**
 * Reads an IDX file, plain or gzipped (told by its content, not its name). Throws `data.idx.*`: the file is missing, is
 * no IDX file, or is shorter or longer than its header says.
 */
export function readIdxFile(path: string): IdxContent {
  return parseIdx(unzip(path, readBytes(path)), path);
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new EngineError(
      'data.idx.read',
      `The IDX file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { path },
      { cause: error },
    );
  }
}

function unzip(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new EngineError(
      'data.idx.gzip',
      `${path} begins like a gzip file but does not unpack; it is damaged or cut off. Fetch it again.`,
      { path },
      { cause: error },
    );
  }
}

/** Reads IDX bytes; `path` is for messages. */
export function parseIdx(bytes: Uint8Array, path: string): IdxContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = bytes.length >= 4 ? kinds[bytes[2] ?? 0] : undefined;
  const rank = bytes[3] ?? 0;
  if (kind === undefined || bytes[0] !== 0 || bytes[1] !== 0 || rank === 0) {
    const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new EngineError(
      'data.idx.magic',
      `${path} is no IDX file: it begins with the bytes '${found}', an IDX file with '00 00', a type (08, 09, 0b … 0e) and the number of axes.`,
      { path, found },
    );
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw truncated(path, header, bytes.length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const wanted = header + sizeOf(shape) * kind.bytes;
  if (bytes.length < wanted) throw truncated(path, wanted, bytes.length);
  if (bytes.length > wanted) {
    throw new EngineError(
      'data.idx.length',
      `${path} has ${bytes.length - wanted} bytes more than its header [${shape}] says; it is damaged.`,
      {
        path,
        wanted,
        found: bytes.length,
      },
    );
  }
  const body = new DataView(bytes.buffer, bytes.byteOffset + header, bytes.byteLength - header);
  return { data: kind.read(body, sizeOf(shape)), shape };
}

function truncated(path: string, wanted: number, found: number): EngineError {
  return new EngineError(
    'data.idx.truncated',
    `${path} is cut off: ${found} bytes of ${wanted}. Fetch or prepare it again.`,
    {
      path,
      wanted,
      found,
    },
  );
}

/** The bytes of an IDX file with unsigned bytes, for tools that prepare data sets. */
export function formatIdx(shape: readonly number[], data: Uint8Array): Uint8Array {
  if (data.length !== sizeOf(shape)) throw new RangeError(`IDX data of shape [${shape}] needs ${sizeOf(shape)} bytes`);
  const header = 4 + 4 * shape.length;
  const bytes = new Uint8Array(header + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(2, 8);
  view.setUint8(3, shape.length);
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size);
  });
  bytes.set(data, header);
  return bytes;
}
