import { type FileHandle, open } from 'node:fs/promises';
import { type Dtype, type TensorArray, viewOf } from './dtype.ts';
import {
  elementCount,
  headerLength,
  LENGTH_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorInfo,
} from './header.ts';

export interface TensorData {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorArray;
}

/** All tensors of a file that is in memory. Their arrays share its memory where alignment allows. */
export function parseSafetensors(bytes: Uint8Array<ArrayBuffer>, source: string): Map<string, TensorData> {
  const length = headerLength(bytes, bytes.length, source);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length), bytes.length, source);
  return new Map(
    [...header.tensors].map(([name, info]) => [name, tensorAt(bytes, header.dataStart + info.begin, info)]),
  );
}

function tensorAt(bytes: Uint8Array<ArrayBuffer>, offset: number, { name, dtype, shape }: TensorInfo): TensorData {
  return { name, dtype, shape, data: viewOf(dtype, bytes, offset, elementCount(shape)) };
}

/** An open file whose tensors are read one by one. */
export interface SafetensorsFile {
  readonly header: SafetensorsHeader;
  /** Throws when the file has no tensor of that name. */
  read(name: string): Promise<TensorData>;
  close(): Promise<void>;
}

/**
 * Opens a file and checks its header; data is read only when asked for.
 * @throws EngineError `checkpoint.safetensors.invalid`
 */
export async function openSafetensors(file: string): Promise<SafetensorsFile> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const length = headerLength(await readAt(handle, 0, Math.min(LENGTH_BYTES, size)), size, file);
    const header = parseHeader(await readAt(handle, LENGTH_BYTES, length), size, file);
    return {
      header,
      read: async (name) => {
        const info = header.tensors.get(name);
        if (info === undefined) throw new Error(`${file} has no tensor '${name}'`);
        const bytes = await readAt(handle, header.dataStart + info.begin, info.end - info.begin);
        return tensorAt(bytes, 0, info);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads exactly `length` bytes; the file's size was checked against the header, so fewer means that it shrank. */
async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    // The system reads at most 2 GiB at once.
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 0x4000_0000), position + done);
    if (bytesRead === 0) throw new Error('The file became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}
