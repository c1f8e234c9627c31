import { EngineError } from '../../api/errors.ts';
import type { Random } from '../../base/random.ts';
import type { HostTensor } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { asImage, fromImage, readRange, type Transform, within } from './transform.ts';

export interface ColorJitterOptions {
  /** Factor from max(0, 1 − value) to 1 + value, or [low, high]. */
  readonly brightness?: number | readonly [number, number] | null;
  readonly contrast?: number | readonly [number, number] | null;
}

/**
 * Changes brightness, then contrast, by random factors; values stay in 0 … 1 (torchvision.transforms.ColorJitter without
 * saturation and hue, in a fixed order).
 */
export class ColorJitter implements Transform {
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
}

function blend(data: Float32Array, base: number, factor: number): Float32Array {
  const shift = base * (1 - factor);
  const blended = new Float32Array(data.length);
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

export interface NormalizeOptions {
  /** One number, or one for each channel. */
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

/** (value − mean) / std, channel by channel (torchvision.transforms.Normalize). Throws `data.transform`. */
export class Normalize implements Transform {
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
    const { channels } = image;
    for (const [key, values] of Object.entries({ mean: this.#mean, std: this.#std })) {
      if (values.length === 1 || values.length === channels) continue;
      throw new EngineError(
        'data.transform',
        `Normalize: '${key}' has ${values.length} values for images with ${channels} channels.`,
        { key, channels },
      );
    }
    const data = new Float32Array(image.data.length);
    for (let channel = 0; channel < channels; channel++) {
      const mean = this.#mean[this.#mean.length === 1 ? 0 : channel] ?? 0;
      const std = this.#std[this.#std.length === 1 ? 0 : channel] ?? 1;
      for (let i = channel; i < data.length; i += channels) data[i] = ((image.data[i] as number) - mean) / std;
    }
    return fromImage({ ...image, data });
  }
}
