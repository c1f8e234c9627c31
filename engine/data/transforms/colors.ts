import { EngineError } from '../../api/errors.ts';
import type { Random } from '../../base/random.ts';
import type { HostTensor } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { type CodedImage, decodeCodes, recode, recodeChannels, tableOf } from './codedImage.ts';
import { asImage, type CodedTransform, fromImage, readRange, within } from './transform.ts';

export interface ColorJitterOptions {
  /** Factor from max(0, 1 − value) to 1 + value, or [low, high]. */
  readonly brightness?: number | readonly [number, number] | null;
  readonly contrast?: number | readonly [number, number] | null;
}

/**
 * Changes brightness, then contrast, by random factors; values stay in 0 … 1 (torchvision.transforms.ColorJitter without
 * saturation and hue, in a fixed order).
 */
export class ColorJitter implements CodedTransform {
  readonly #brightness: readonly [number, number] | undefined;
  readonly #contrast: readonly [number, number] | undefined;

  constructor(options: ColorJitterOptions = {}) {
    checkOptions('ColorJitter', options, ['brightness', 'contrast']);
    const read = (key: 'brightness' | 'contrast') =>
      options[key] == null
        ? undefined
        : readRange('ColorJitter', key, options[key], (value) => [Math.max(0, 1 - value), 1 + value]);
    this.#brightness = read('brightness');
    this.#contrast = read('contrast');
  }

  call(tensor: HostTensor, random: Random | undefined): HostTensor {
    if (random === undefined) return tensor;
    const { data, height, width, channels } = asImage('ColorJitter', tensor);
    let changed = data;
    if (this.#brightness) changed = blend(changed, 0, within(random, this.#brightness));
    if (this.#contrast) changed = blend(changed, meanGrey(changed, channels), within(random, this.#contrast));
    return fromImage({ data: changed, height, width, channels });
  }

  callCoded(image: CodedImage, random: Random | undefined): CodedImage {
    if (random === undefined) return image;
    let changed = image;
    if (this.#brightness) {
      const factor = within(random, this.#brightness);
      changed = recode(changed, (table, changed) => blend(table, 0, factor, changed));
    }
    if (this.#contrast) {
      const mean = meanGreyOfCodes(changed);
      const factor = within(random, this.#contrast);
      changed = recode(changed, (table, changed) => blend(table, mean, factor, changed));
    }
    return changed;
  }
}

function blend(
  data: Float32Array,
  base: number,
  factor: number,
  blended: Float32Array = new Float32Array(data.length),
): Float32Array {
  const shift = base * (1 - factor);
  for (let i = 0; i < blended.length; i++) {
    const value = (data[i] as number) * factor + shift;
    blended[i] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
  return blended;
}

/** Mean of the grey image (ITU-R 601-2 weights, as PIL), or of all values where there are not three channels. */
function meanGrey(data: Float32Array, channels: number): number {
  let sum = 0;
  if (channels !== 3) {
    for (const value of data) sum += value;
    return sum / Math.max(1, data.length);
  }
  for (let i = 0; i < data.length; i += 3) {
    sum += 0.299 * (data[i] as number) + 0.587 * (data[i + 1] as number) + 0.114 * (data[i + 2] as number);
  }
  return sum / Math.max(1, data.length / 3);
}

/** The same of an image in codes: the same sums, in the same order. */
function meanGreyOfCodes(image: CodedImage): number {
  if (image.channels !== 3) return meanGrey(asImage('ColorJitter', decodeCodes(image)).data, image.channels);
  const [red, green, blue] = [tableOf(image, 0), tableOf(image, 1), tableOf(image, 2)];
  const { codes, offset, rowStride, columnStride, height, width } = image;
  let sum = 0;
  for (let row = 0; row < height; row++) {
    let at = offset + row * rowStride;
    for (let column = 0; column < width; column++) {
      sum +=
        0.299 * (red[codes[at] as number] as number) +
        0.587 * (green[codes[at + 1] as number] as number) +
        0.114 * (blue[codes[at + 2] as number] as number);
      at += columnStride;
    }
  }
  return sum / Math.max(1, height * width);
}

export interface NormalizeOptions {
  /** One number, or one for each channel. */
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

/** (value − mean) / std, channel by channel (torchvision.transforms.Normalize). Throws `data.transform`. */
export class Normalize implements CodedTransform {
  readonly #mean: readonly number[];
  readonly #std: readonly number[];

  constructor(options: NormalizeOptions) {
    checkOptions('Normalize', options, ['mean', 'std']);
    this.#mean = [options.mean].flat();
    this.#std = [options.std].flat();
    if (this.#std.some((value) => !(value > 0)) || !this.#mean.every(Number.isFinite)) {
      throw new EngineError('options.invalid', `Normalize: 'mean' must be numbers and 'std' numbers above zero.`, {});
    }
  }

  call(tensor: HostTensor): HostTensor {
    const image = asImage('Normalize', tensor);
    this.#check(image.channels);
    const { channels } = image;
    const data = new Float32Array(image.data.length);
    for (let channel = 0; channel < channels; channel++) this.#normalize(image.data, data, channel, channels);
    return fromImage({ ...image, data });
  }

  callCoded(image: CodedImage): CodedImage {
    this.#check(image.channels);
    return recodeChannels(image, (table, changed, channel) => this.#normalize(table, changed, channel, 1));
  }

  #check(channels: number): void {
    for (const key of ['mean', 'std'] as const) {
      const values = key === 'mean' ? this.#mean : this.#std;
      if (values.length === 1 || values.length === channels) continue;
      throw new EngineError(
        'data.transform',
        `Normalize: '${key}' has ${values.length} values for images with ${channels} channels.`,
        { key, channels },
      );
    }
  }

  /** Every `stride`-th value, of this channel; of values that all are of it where that is 1. */
  #normalize(from: Float32Array, to: Float32Array, channel: number, stride: number): void {
    const mean = this.#mean[this.#mean.length === 1 ? 0 : channel] ?? 0;
    const std = this.#std[this.#std.length === 1 ? 0 : channel] ?? 1;
    for (let i = stride === 1 ? 0 : channel; i < to.length; i += stride) to[i] = ((from[i] as number) - mean) / std;
  }
}
