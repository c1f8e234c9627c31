import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import {
  commonDtype,
  type HostDtype,
  type HostTensor,
  isHostArray,
  isHostTensor,
  readHostTensor,
  sameShape,
  stackHost,
} from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { type Collate, isPlainObject, toTensors } from './collate.ts';

export interface DefaultCollateOptions {
  /** Fixes the dtype of a key (or of a position, '0', '1', …) whatever the values of a batch look like. */
  readonly dtypes?: Readonly<Record<string, HostDtype>>;
}

/**
 * Stacks samples as torch's default_collate does. Objects become objects and lists become lists, field by field;
 * numbers, booleans, typed arrays, host tensors, number lists and tensors become one tensor with a new first axis;
 * strings and everything else stay lists. Whole numbers give int32, others float32.
 */
export class DefaultCollate implements Collate {
  readonly #dtypes: Readonly<Record<string, HostDtype>>;

  constructor(options: DefaultCollateOptions = {}) {
    checkOptions('DefaultCollate', options, ['dtypes']);
    this.#dtypes = options.dtypes ?? {};
  }

  call(samples: readonly unknown[]): unknown {
    return toTensors(this.host(samples));
  }

  /** The same without TensorFlow: host tensors in place of tensors. */
  host(samples: readonly unknown[]): unknown {
    return collateField(samples, '', this.#dtypes);
  }
}

function collateField(values: readonly unknown[], path: string, dtypes: Readonly<Record<string, HostDtype>>): unknown {
  const first = values[0];
  if (first instanceof tf.Tensor) return stackTensors(values, path);
  if (isHostTensor(first) || isHostArray(first) || typeof first === 'number' || typeof first === 'boolean') {
    return stackField(values, path, dtypes[path]);
  }
  if (Array.isArray(first)) return collateLists(values, first.length, path, dtypes);
  if (isPlainObject(first)) {
    return Object.fromEntries(
      Object.keys(first).map((key) => [
        key,
        collateField(
          values.map((value) => member(value, key, path)),
          join(path, key),
          dtypes,
        ),
      ]),
    );
  }
  return [...values];
}

function collateLists(
  values: readonly unknown[],
  length: number,
  path: string,
  dtypes: Readonly<Record<string, HostDtype>>,
): unknown {
  const host = values.map(readHostTensorOrUndefined);
  if (host.every((value) => value !== undefined)) return stackField(host, path, dtypes[path]);
  const odd = values.findIndex((value) => !Array.isArray(value) || value.length !== length);
  if (odd >= 0) throw unequal(path, length, odd, values[odd]);
  return Array.from({ length }, (_, i) =>
    collateField(
      values.map((value) => (Array.isArray(value) ? value[i] : undefined)),
      join(path, String(i)),
      dtypes,
    ),
  );
}

// A tuple such as [image, label] is no ragged tensor: it is collated position by position.
function readHostTensorOrUndefined(value: unknown): HostTensor | undefined {
  const numeric = Array.isArray(value) && value.every((item) => typeof item === 'number' || isNumberList(item));
  return numeric ? readHostTensor(value) : undefined;
}

function isNumberList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'number' || isNumberList(item));
}

function stackField(values: readonly unknown[], path: string, dtype: HostDtype | undefined): HostTensor {
  const parts = values.map((value, i) => {
    const part = readHostTensor(value);
    if (part === undefined) throw mixed(path, i);
    return part;
  });
  const shape = parts[0]?.shape ?? [];
  const odd = parts.findIndex((part) => !sameShape(part.shape, shape));
  if (odd >= 0) {
    throw shapesDiffer(path, shape, odd, parts[odd]?.shape);
  }
  return stackHost(parts, dtype ?? commonDtype(parts), path);
}

function stackTensors(values: readonly unknown[], path: string): tf.Tensor {
  const tensors = values.map((value, i) => {
    if (!(value instanceof tf.Tensor)) throw mixed(path, i);
    return value;
  });
  const shape = tensors[0]?.shape ?? [];
  const odd = tensors.findIndex((tensor) => !sameShape(tensor.shape, shape));
  if (odd >= 0) throw shapesDiffer(path, shape, odd, tensors[odd]?.shape);
  return tf.stack(tensors);
}

function shapesDiffer(
  path: string,
  first: readonly number[],
  sample: number,
  other: readonly number[] | undefined,
): EngineError {
  return new EngineError(
    'data.collate.shape',
    `${where(path)} cannot be stacked: sample 0 of the batch has shape [${first}], sample ${sample} has [${other}]. ${advice(path)}`,
    { path, first, other, sample },
  );
}

function unequal(path: string, first: number, sample: number, value: unknown): EngineError {
  const other = Array.isArray(value) ? `one of ${value.length}` : `no list`;
  return new EngineError(
    'data.collate.shape',
    `${where(path)} cannot be stacked: sample 0 of the batch has a list of ${first}, sample ${sample} has ${other}. ${advice(path)}`,
    { path, first, sample },
  );
}

/** Padding works on named fields. */
function advice(path: string): string {
  const isNamed = path !== '' && !/^\d/.test(path);
  return isNamed
    ? `Use PaddingCollate with pad_keys: [${path}], or make the samples equal.`
    : 'Give samples as objects with named fields and use PaddingCollate with pad_keys, or make the samples equal.';
}

function member(value: unknown, key: string, path: string): unknown {
  if (isPlainObject(value) && Object.hasOwn(value, key)) return value[key];
  throw new EngineError(
    'data.collate.missing-key',
    `A sample of the batch lacks '${join(path, key)}', which the first sample has.`,
    {
      key: join(path, key),
    },
  );
}

function mixed(path: string, sample: number): EngineError {
  return new EngineError(
    'data.collate.mixed',
    `${where(path)} is a tensor in sample 0 of the batch, but not in sample ${sample}.`,
    {
      path,
      sample,
    },
  );
}

function where(path: string): string {
  return path === '' ? 'The batch' : `'${path}'`;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
