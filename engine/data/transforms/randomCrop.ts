import { EngineError } from '../../api/errors.ts';
import type { Random } from '../../base/random.ts';
import type { HostTensor } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { type CodedImage, cutOut } from './codedImage.ts';
import { asImage, type CodedTransform, fromImage, type Image, readSize } from './transform.ts';

export interface RandomCropOptions {
  /** A number for a square, or [height, width]. */
  readonly size: number | readonly [number, number];
  /** Pixels added on every side first: a number, or [rows, columns]. */
  readonly padding?: number | readonly [number, number] | null;
  /** Value of added pixels; 0 when absent. */
  readonly fill?: number;
}

/**
 * Cuts out a window at a random place, after padding (torchvision.transforms.RandomCrop); where nothing is random, the
 * middle one. Throws `data.transform` for an image that is smaller than the window.
 */
export class RandomCrop implements CodedTransform {
  readonly #size: readonly [number, number];
  readonly #padding: readonly [number, number];
  readonly #fill: number;

  constructor(options: RandomCropOptions) {
    checkOptions('RandomCrop', options, ['size', 'padding', 'fill']);
    this.#size = readSize('RandomCrop', 'size', options.size);
    this.#padding = readSize('RandomCrop', 'padding', options.padding ?? 0, 0);
    this.#fill = options.fill ?? 0;
  }

  call(tensor: HostTensor, random: Random | undefined): HostTensor {
    const image = asImage('RandomCrop', tensor);
    const [top, left] = this.#place(image, random);
    return fromImage(this.#cut(image, top, left));
  }

  callCoded(image: CodedImage, random: Random | undefined): CodedImage {
    return cutOut(image, this.#place(image, random), this.#size, this.#fill);
  }

  /** Of the window, in the image without padding. */
  #place(
    image: { readonly height: number; readonly width: number },
    random: Random | undefined,
  ): readonly [top: number, left: number] {
    const [height, width] = this.#size;
    const rows = image.height + 2 * this.#padding[0] - height;
    const columns = image.width + 2 * this.#padding[1] - width;
    if (rows < 0 || columns < 0) {
      throw new EngineError(
        'data.transform',
        `RandomCrop cannot cut [${height}, ${width}] out of an image of [${image.height}, ${image.width}] with padding [${this.#padding}]. Lower size, or raise padding.`,
        { size: this.#size, image: [image.height, image.width] },
      );
    }
    const top = random === undefined ? Math.floor(rows / 2) : random.integer(rows + 1);
    const left = random === undefined ? Math.floor(columns / 2) : random.integer(columns + 1);
    return [top - this.#padding[0], left - this.#padding[1]];
  }

  #cut(image: Image, top: number, left: number): Image {
    const [height, width] = this.#size;
    const { channels } = image;
    const data = new Float32Array(height * width * channels).fill(this.#fill);
    const first = Math.max(0, -left);
    const last = Math.min(width, image.width - left);
    for (let row = Math.max(0, -top); row < Math.min(height, image.height - top); row++) {
      const from = ((row + top) * image.width + left + first) * channels;
      const count = (last - first) * channels;
      if (count > 0) data.set(image.data.subarray(from, from + count), (row * width + first) * channels);
    }
    return { data, height, width, channels };
  }
}
