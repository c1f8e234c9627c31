import { EngineError } from '../../api/errors.ts';
import { isPlainObject } from '../collate/collate.ts';
import { Dataset, type MapDataset } from '../dataset/dataset.ts';
import type { SampleContext } from '../dataset/sampleContext.ts';
import { type HostTensor, isHostTensor } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { type CodedImage, decodeCodes, isCodedImage } from './codedImage.ts';
import { type Transform, takesCodes } from './transform.ts';

export interface TransformDatasetOptions {
  readonly dataset: MapDataset;
  /** Applied one after the other. */
  readonly transforms: readonly Transform[];
  /** Which part of a sample is the image: a position of a list (0 when absent) or a key of an object. */
  readonly key?: string | number;
}

/**
 * Another dataset's samples with their image transformed; everything random comes from the sample's own stream, so that
 * it is the same whatever num_workers and after a resume. Throws `data.transform` for a sample without that image.
 */
export class TransformDataset extends Dataset {
  readonly dataset: MapDataset;
  readonly #transforms: readonly Transform[];
  readonly #key: string | number;

  constructor(options: TransformDatasetOptions) {
    super();
    checkOptions('TransformDataset', options, ['dataset', 'transforms', 'key']);
    this.dataset = options.dataset;
    this.#transforms = readTransforms('TransformDataset', options.transforms);
    this.#key = options.key ?? 0;
  }

  get length(): number {
    return this.dataset.length;
  }

  /** Of the dataset inside, for samplers. */
  get durations(): unknown {
    return Reflect.get(this.dataset, 'durations');
  }

  get tasks(): unknown {
    return Reflect.get(this.dataset, 'tasks');
  }

  get(index: number, context?: SampleContext): unknown {
    const sample = this.dataset.get(index, context);
    return sample instanceof Promise
      ? sample.then((value) => this.#transform(value, context))
      : this.#transform(sample, context);
  }

  #transform(sample: unknown, context: SampleContext | undefined): unknown {
    const key = this.#key;
    const image: unknown = typeof sample === 'object' && sample !== null ? Reflect.get(sample, key) : undefined;
    if (!isHostTensor(image)) {
      throw new EngineError(
        'data.transform',
        `TransformDataset: the sample has no image tensor at ${JSON.stringify(key)}. Set 'key' to where it is.`,
        { key },
      );
    }
    const changed = applyTransforms(this.#transforms, image, context);
    if (Array.isArray(sample)) return sample.map((value: unknown, i) => (i === key ? changed : value));
    return isPlainObject(sample) ? { ...sample, [key]: changed } : changed;
  }
}

/**
 * One after the other; an image in codes stays in codes for as long as the transforms take them. `decode` makes a tensor of
 * one that still is: `decodeLate` for an image that is only stacked.
 */
export function applyTransforms(
  transforms: readonly Transform[],
  image: HostTensor | CodedImage,
  context: SampleContext | undefined,
  decode: (image: CodedImage) => HostTensor = decodeCodes,
): HostTensor {
  let result = image;
  for (const transform of transforms) {
    if (!isCodedImage(result)) result = transform.call(result, context?.random);
    else if (takesCodes(transform)) result = transform.callCoded(result, context?.random);
    else result = transform.call(decodeCodes(result), context?.random);
  }
  return isCodedImage(result) ? decode(result) : result;
}

/** Throws `options.invalid` for what has no call(image, random). */
export function readTransforms(owner: string, value: unknown): readonly Transform[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  if (Array.isArray(value) && list.every(isTransform)) return list;
  throw new EngineError(
    'options.invalid',
    `${owner}: 'transforms' must be a list of transforms, such as {_target_: accelhydra.data.RandomCrop, size: 28, padding: 2}.`,
    {},
  );
}

function isTransform(value: unknown): value is Transform {
  return typeof value === 'object' && value !== null && 'call' in value && typeof value.call === 'function';
}
