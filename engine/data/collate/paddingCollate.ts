import { EngineError } from '../../api/errors.ts';
import {
  allocate,
  commonDtype,
  type HostTensor,
  readHostTensor,
  requireInt32,
  sameShape,
  sizeOf,
  stackHost,
} from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { type Collate, isPlainObject, toTensors } from './collate.ts';

export interface PaddingCollateOptions {
  /** Sequences of different length: padded with zeros at the end of their first axis. */
  readonly pad_keys?: readonly string[];
  /** Values of one shape: stacked. */
  readonly torchify_keys?: readonly string[];
}

/**
 * AccelHydra's PaddingCollate: from samples (objects) to one object of columns. Each padded key gets a companion
 * `{key}_lengths` (int32, [batch]); keys in neither list stay lists.
 */
export class PaddingCollate implements Collate {
  readonly pad_keys: readonly string[];
  readonly torchify_keys: readonly string[];

  constructor(options: PaddingCollateOptions = {}) {
    checkOptions('PaddingCollate', options, ['pad_keys', 'torchify_keys']);
    this.pad_keys = options.pad_keys ?? [];
    this.torchify_keys = options.torchify_keys ?? [];
  }

  call(samples: readonly unknown[]): Record<string, unknown> {
    const batch = toTensors(this.host(samples));
    return isPlainObject(batch) ? batch : {};
  }

  /** The same without TensorFlow: host tensors in place of tensors. */
  host(samples: readonly unknown[]): Record<string, unknown> {
    const first = samples[0];
    if (!isPlainObject(first)) {
      throw new EngineError(
        'data.collate.kind',
        `PaddingCollate needs samples that are objects with named fields.`,
        {},
      );
    }
    const batch: Record<string, unknown> = {};
    const lengths: Record<string, unknown> = {};
    for (const key of Object.keys(first)) {
      const values = samples.map((sample, i) => field(sample, key, i));
      if (this.pad_keys.includes(key)) {
        const padded = pad(key, values);
        batch[key] = padded.values;
        lengths[`${key}_lengths`] = padded.lengths;
      } else {
        batch[key] = this.torchify_keys.includes(key) ? stack(key, values) : values;
      }
    }
    return { ...batch, ...lengths };
  }
}

function field(sample: unknown, key: string, index: number): unknown {
  if (isPlainObject(sample) && Object.hasOwn(sample, key)) return sample[key];
  throw new EngineError(
    'data.collate.missing-key',
    `Sample ${index} of the batch lacks '${key}', which sample 0 has.`,
    {
      key,
      sample: index,
    },
  );
}

function read(key: string, values: readonly unknown[]): HostTensor[] {
  return values.map((value, i) => {
    const tensor =
      Array.isArray(value) && value.length === 0 ? { data: new Float32Array(0), shape: [0] } : readHostTensor(value);
    if (tensor === undefined) {
      throw new EngineError(
        'data.collate.mixed',
        `'${key}' of sample ${i} of the batch is no number, array or tensor.`,
        { key, sample: i },
      );
    }
    return tensor;
  });
}

function stack(key: string, values: readonly unknown[]): HostTensor {
  const parts = read(key, values);
  const shape = parts[0]?.shape ?? [];
  const odd = parts.findIndex((part) => !sameShape(part.shape, shape));
  if (odd >= 0) {
    throw new EngineError(
      'data.collate.shape',
      `'${key}' cannot be stacked: sample 0 of the batch has shape [${shape}], sample ${odd} has [${parts[odd]?.shape}]. Move it from torchify_keys to pad_keys.`,
      { key, first: shape, other: parts[odd]?.shape, sample: odd },
    );
  }
  return stackHost(parts, undefined, key);
}

function pad(key: string, values: readonly unknown[]): { readonly values: HostTensor; readonly lengths: HostTensor } {
  const parts = read(key, values);
  const rest = parts[0]?.shape.slice(1) ?? [];
  if (parts.some((part) => part.shape.length === 0 || !sameShape(part.shape.slice(1), rest))) {
    throw new EngineError(
      'data.collate.shape',
      `'${key}' cannot be padded: samples must have a first axis and agree in the others; they have ${parts.map((part) => `[${part.shape}]`).join(', ')}.`,
      { key },
    );
  }
  const lengths = Int32Array.from(parts, (part) => part.shape[0] ?? 0);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const size = longest * sizeOf(rest);
  const dtype = commonDtype(parts);
  const data = allocate(dtype, size * parts.length);
  parts.forEach((part, i) => {
    if (dtype === 'int32') requireInt32(part.data, i, key);
    data.set(part.data, i * size);
  });
  return {
    values: { data, shape: [parts.length, longest, ...rest], dtype },
    lengths: { data: lengths, shape: [parts.length], dtype: 'int32' },
  };
}
