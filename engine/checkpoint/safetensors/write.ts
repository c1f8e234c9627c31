import { EngineError } from '../../api/errors.ts';
import { bytesPerElement, type Dtype, dtypes, type TensorArray } from './dtype.ts';
import { buildHeader, elementCount } from './header.ts';

/** A tensor to be written; `data` may be a function, called when its turn comes, so that one at a time is in memory. */
export interface TensorSource {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorArray | (() => Promise<TensorArray> | TensorArray);
}

/** Takes bytes in order. They must stay as they are until all are written. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Writes tensors in the safetensors format, in the order Python's writer uses (wider dtypes first, then by name), so
 * that every tensor is aligned.
 * @throws EngineError `checkpoint.tensor` when a name occurs twice or data does not fit its shape
 */
export async function writeSafetensors(
  sink: ByteSink,
  tensors: Iterable<TensorSource>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ordered = inFileOrder(tensors);
  const names = new Set<string>();
  for (const { name } of ordered) {
    if (names.has(name) || name === '__metadata__') {
      throw new EngineError('checkpoint.tensor', `A tensor cannot be saved twice or as '__metadata__': '${name}'.`, {
        name,
      });
    }
    names.add(name);
  }
  await sink.write(buildHeader(ordered, metadata).bytes);
  for (const tensor of ordered) {
    const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data;
    const expected = elementCount(tensor.shape) * bytesPerElement(tensor.dtype);
    if (data.byteLength !== expected) {
      throw new EngineError(
        'checkpoint.tensor',
        `Tensor '${tensor.name}' of shape [${tensor.shape}] and dtype ${tensor.dtype} needs ${expected} bytes, but its data has ${data.byteLength}.`,
        { name: tensor.name, shape: tensor.shape, dtype: tensor.dtype },
      );
    }
    await sink.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

/** What is known of a tensor without its numbers. */
export type TensorOutline = Pick<TensorSource, 'name' | 'dtype' | 'shape'>;

/** Bytes of the file that `writeSafetensors` makes of such tensors. */
export function safetensorsBytes(
  tensors: Iterable<TensorOutline>,
  metadata: Readonly<Record<string, string>> = {},
): number {
  const { bytes, dataBytes } = buildHeader(inFileOrder(tensors), metadata);
  return bytes.length + dataBytes;
}

function inFileOrder<T extends TensorOutline>(tensors: Iterable<T>): T[] {
  return [...tensors].sort(
    (a, b) => dtypes.indexOf(a.dtype) - dtypes.indexOf(b.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}
