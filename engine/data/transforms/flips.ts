import type { Random } from '../../base/random.ts';
import type { HostTensor } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { type CodedImage, mirrorColumns, mirrorRows } from './codedImage.ts';
import { asImage, type CodedTransform, fromImage, requireFraction } from './transform.ts';

export interface FlipOptions {
  /** Chance of a flip; 0.5 when absent. */
  readonly p?: number;
}

/** Swaps left and right with a chance of `p` (torchvision.transforms.RandomHorizontalFlip). */
export class RandomHorizontalFlip implements CodedTransform {
  readonly #p: number;

  constructor(options: FlipOptions = {}) {
    checkOptions('RandomHorizontalFlip', options, ['p']);
    this.#p = requireFraction('RandomHorizontalFlip', 'p', options.p ?? 0.5);
  }

  call(tensor: HostTensor, random: Random | undefined): HostTensor {
    if (!happens(this.#p, random)) return tensor;
    const image = asImage('RandomHorizontalFlip', tensor);
    const { width, channels } = image;
    const data = new Float32Array(image.data.length);
    let from = 0;
    for (let end = width * channels; end <= data.length; end += width * channels) {
      for (let to = end - channels; from < end; to -= channels) {
        for (let channel = 0; channel < channels; channel++) data[to + channel] = image.data[from++] as number;
      }
    }
    return fromImage({ ...image, data });
  }

  callCoded(image: CodedImage, random: Random | undefined): CodedImage {
    return happens(this.#p, random) ? mirrorColumns(image) : image;
  }
}

/** Swaps top and bottom with a chance of `p` (torchvision.transforms.RandomVerticalFlip). */
export class RandomVerticalFlip implements CodedTransform {
  readonly #p: number;

  constructor(options: FlipOptions = {}) {
    checkOptions('RandomVerticalFlip', options, ['p']);
    this.#p = requireFraction('RandomVerticalFlip', 'p', options.p ?? 0.5);
  }

  call(tensor: HostTensor, random: Random | undefined): HostTensor {
    if (!happens(this.#p, random)) return tensor;
    const image = asImage('RandomVerticalFlip', tensor);
    const rowSize = image.width * image.channels;
    const data = new Float32Array(image.data.length);
    for (let row = 0; row < image.height; row++) {
      data.set(image.data.subarray(row * rowSize, (row + 1) * rowSize), (image.height - 1 - row) * rowSize);
    }
    return fromImage({ ...image, data });
  }

  callCoded(image: CodedImage, random: Random | undefined): CodedImage {
    return happens(this.#p, random) ? mirrorRows(image) : image;
  }
}

function happens(chance: number, random: Random | undefined): boolean {
  return random !== undefined && random.uniform() < chance;
}
