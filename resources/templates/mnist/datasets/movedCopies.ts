import { Dataset, type HostTensor, type MapDataset } from 'accelhydra-studio';

/** [rows, columns] that a copy is moved by. */
const DIRECTIONS = [
  [0, 1],
  [1, 0],
  [0, -1],
  [-1, 0],
] as const;

/**
 * Each image and `copies` of it moved by one pixel, every copy in another direction: a digit is the same digit wherever
 * it stands, and a small data set does not say so often enough. Samples are [image [height, width, 1], label].
 */
export class MovedCopies extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly length: number;
  readonly #images: MapDataset;
  readonly #variants: number;

  constructor(images: MapDataset, copies: number) {
    super();
    if (!Number.isInteger(copies) || copies < 0 || copies > DIRECTIONS.length) {
      throw new RangeError(`moved_copies must be from 0 to ${DIRECTIONS.length}, not ${copies}`);
    }
    this.#images = images;
    this.#variants = copies + 1;
    this.length = images.length * this.#variants;
  }

  get(index: number): readonly [HostTensor, HostTensor] {
    this.checkIndex(index);
    const [number, variant] = [Math.floor(index / this.#variants), index % this.#variants];
    const [image, label] = this.#images.get(number) as readonly [HostTensor, HostTensor];
    const direction = variant === 0 ? undefined : DIRECTIONS[(number + variant) % DIRECTIONS.length];
    return [direction === undefined ? image : moved(image, direction), label];
  }
}

function moved(image: HostTensor, [down, right]: readonly [number, number]): HostTensor {
  const [height = 0, width = 0] = image.shape;
  const data = new Float32Array(height * width);
  for (let row = Math.max(0, down); row < height + Math.min(0, down); row++) {
    const from = (row - down) * width + Math.max(0, -right);
    const length = width - Math.abs(right);
    data.set(image.data.subarray(from, from + length), row * width + Math.max(0, right));
  }
  return { data, shape: image.shape };
}
