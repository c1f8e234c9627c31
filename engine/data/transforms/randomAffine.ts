import type { Random } from '../../base/random.ts';
import type { HostTensor } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { asImage, fromImage, type Image, readRange, requireFraction, type Transform, within } from './transform.ts';

export interface RandomAffineOptions {
  /** Rotation in degrees, clockwise: −degrees … degrees, or [low, high]. */
  readonly degrees: number | readonly [number, number];
  /** Largest shift as a part of [width, height]. */
  readonly translate?: readonly [number, number] | null;
  /** [low, high] of the enlargement. */
  readonly scale?: readonly [number, number] | null;
  /** Value outside the image; 0 when absent. */
  readonly fill?: number;
}

/**
 * Rotates, enlarges and shifts about the middle (torchvision.transforms.RandomAffine without shear, with bilinear
 * interpolation); shifts are whole pixels.
 */
export class RandomAffine implements Transform {
  readonly #degrees: readonly [number, number];
  readonly #translate: readonly [number, number] | undefined;
  readonly #scale: readonly [number, number] | undefined;
  readonly #fill: number;

  constructor(options: RandomAffineOptions) {
    const owner = 'RandomAffine';
    checkOptions(owner, options, ['degrees', 'translate', 'scale', 'fill']);
    this.#degrees = readRange(owner, 'degrees', options.degrees, (value) => [-value, value]);
    this.#translate = options.translate
      ? [
          requireFraction(owner, 'translate', options.translate[0]),
          requireFraction(owner, 'translate', options.translate[1]),
        ]
      : undefined;
    this.#scale = options.scale ? readRange(owner, 'scale', options.scale, (value) => [value, value]) : undefined;
    this.#fill = options.fill ?? 0;
  }

  call(tensor: HostTensor, random: Random | undefined): HostTensor {
    if (random === undefined) return tensor;
    const image = asImage('RandomAffine', tensor);
    const angle = (within(random, this.#degrees) * Math.PI) / 180;
    const [x, y] = this.#translate ?? [0, 0];
    const right = this.#translate ? Math.round(within(random, [-x * image.width, x * image.width])) : 0;
    const down = this.#translate ? Math.round(within(random, [-y * image.height, y * image.height])) : 0;
    const scale = this.#scale ? within(random, this.#scale) : 1;
    return fromImage(this.#warp(image, angle, right, down, scale));
  }

  /** Each new pixel looks up where it came from. */
  #warp(image: Image, angle: number, right: number, down: number, scale: number): Image {
    const { height, width, channels } = image;
    const warped = new Float32Array(image.data.length);
    const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
    const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
    let to = 0;
    for (let row = 0; row < height; row++) {
      const y = row - middleY - down;
      for (let column = 0; column < width; column++) {
        const x = column - middleX - right;
        const fromX = cos * x + sin * y + middleX;
        const fromY = cos * y - sin * x + middleY;
        const left = Math.floor(fromX);
        const top = Math.floor(fromY);
        const isInside = left >= 0 && top >= 0 && left + 1 < width && top + 1 < height;
        if (isInside) between(image, left, top, fromX - left, fromY - top, warped, to);
        else this.#atEdge(image, left, top, fromX - left, fromY - top, warped, to);
        to += channels;
      }
    }
    return { ...image, data: warped };
  }

  /** As `between`, where pixels around may be outside. */
  #atEdge(image: Image, left: number, top: number, partX: number, partY: number, out: Float32Array, at: number): void {
    for (let channel = 0; channel < image.channels; channel++) {
      const a = this.#pixel(image, left, top, channel);
      const b = this.#pixel(image, left + 1, top, channel);
      const c = this.#pixel(image, left, top + 1, channel);
      const d = this.#pixel(image, left + 1, top + 1, channel);
      out[at + channel] = blend(a, b, c, d, partX, partY);
    }
  }

  #pixel({ width, height, channels, data }: Image, x: number, y: number, channel: number): number {
    if (x < 0 || y < 0 || x >= width || y >= height) return this.#fill;
    return data[(y * width + x) * channels + channel] as number;
  }
}

/** The value between the four pixels around (left + partX, top + partY), all of them inside, for each channel. */
function between(
  { width, channels, data }: Image,
  left: number,
  top: number,
  partX: number,
  partY: number,
  out: Float32Array,
  at: number,
): void {
  const above = (top * width + left) * channels;
  const below = above + width * channels;
  for (let channel = 0; channel < channels; channel++) {
    const a = data[above + channel] as number;
    const b = data[above + channels + channel] as number;
    const c = data[below + channel] as number;
    const d = data[below + channels + channel] as number;
    out[at + channel] = blend(a, b, c, d, partX, partY);
  }
}

function blend(a: number, b: number, c: number, d: number, partX: number, partY: number): number {
  const upper = a + (b - a) * partX;
  return upper + (c + (d - c) * partX - upper) * partY;
}
