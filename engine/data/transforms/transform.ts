import { EngineError } from '../../api/errors.ts';
import { standsFor } from '../../base/overrides.ts';
import type { Random } from '../../base/random.ts';
import type { HostTensor } from '../hostTensor.ts';
import type { CodedImage } from './codedImage.ts';

/**
 * Changes one image: float32 [height, width, channels], values usually 0 … 1. `random` is the sample's own stream
 * (`SampleContext`); without it a sample is only looked at, and whatever is random is left out.
 */
export interface Transform {
  call(image: HostTensor, random: Random | undefined): HostTensor;
}

/** A transform that can do the same, to the bit, to an image in codes: with a fraction of the work. */
export interface CodedTransform extends Transform {
  callCoded(image: CodedImage, random: Random | undefined): CodedImage;
}

/** Whether `callCoded` does what `call` does: a class that extends one of ours may have another `call`. */
export function takesCodes(transform: Transform): transform is CodedTransform {
  return standsFor(transform, 'callCoded', 'call');
}

export interface Image {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Throws `data.transform` for what is no image. */
export function asImage(owner: string, tensor: HostTensor): Image {
  const [height, width, channels] = tensor.shape;
  if (tensor.shape.length !== 3 || height === undefined || width === undefined || channels === undefined) {
    throw new EngineError(
      'data.transform',
      `${owner} takes images of shape [height, width, channels]; it got [${tensor.shape}].`,
      { shape: tensor.shape },
    );
  }
  const data = tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data);
  return { data, height, width, channels };
}

export function fromImage({ data, height, width, channels }: Image): HostTensor {
  return { data, shape: [height, width, channels], dtype: 'float32' };
}

export function requireFraction(owner: string, key: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new EngineError('options.invalid', `${owner}: '${key}' must be from 0 to 1; it is ${JSON.stringify(value)}.`, {
    key,
    value,
  });
}

/** A number for both, or [height, width]. Throws `options.invalid`. */
export function readSize(owner: string, key: string, value: unknown, least = 1): readonly [number, number] {
  const [height, width] = Array.isArray(value) ? (value as unknown[]) : [value, value];
  if (isSize(height, least) && isSize(width, least) && (!Array.isArray(value) || value.length === 2)) {
    return [height, width];
  }
  throw new EngineError(
    'options.invalid',
    `${owner}: '${key}' must be a whole number of at least ${least}, or [height, width]; it is ${JSON.stringify(value)}.`,
    { key, value },
  );
}

function isSize(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least;
}

/** [low, high] from a pair, or from a number by `ofNumber`. Throws `options.invalid`. */
export function readRange(
  owner: string,
  key: string,
  value: unknown,
  ofNumber: (value: number) => readonly [number, number],
): readonly [number, number] {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return ofNumber(value);
  const [low, high] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof low === 'number' && typeof high === 'number' && low <= high) return [low, high];
  throw new EngineError(
    'options.invalid',
    `${owner}: '${key}' must be a number that is not negative, or [low, high]; it is ${JSON.stringify(value)}.`,
    { key, value },
  );
}

export function within(random: Random, [low, high]: readonly [number, number]): number {
  return low + (high - low) * random.uniform();
}
