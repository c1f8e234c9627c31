import { EngineError } from '../../api/errors.ts';
import { Dataset } from '../dataset/dataset.ts';
import { type HostArray, type HostTensor, hostScalar, sizeOf } from '../hostTensor.ts';
import { checkOptions, requireText } from '../options.ts';
import { readIdxFile } from './idxFile.ts';

export interface IdxDatasetOptions {
  /** Path of the images (or any values) in IDX format, gzipped or not; the first axis counts samples. */
  readonly images: string;
  /** Path of the labels, one a sample. */
  readonly labels: string;
  /** Multiplied with each value; 1/255 when absent, so that bytes become 0 … 1. */
  readonly scale?: number;
  /** Then (value − mean) / std, as torchvision's Normalize. */
  readonly mean?: number;
  readonly std?: number;
  /** Adds a last axis of size 1, so that grey images are [height, width, 1] (NHWC); true when absent. */
  readonly channel?: boolean;
  /** Only the first samples. */
  readonly limit?: number | null;
}

/**
 * One sample is [image float32 of the file's shape (with channel), label int32 []]. The file's values are kept as they
 * are (a byte a pixel) and scaled when a sample is read. Throws `data.idx.*`.
 */
export class IdxDataset extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly length: number;
  readonly sampleShape: readonly number[];
  readonly #values: HostArray;
  readonly #scale: (value: number) => number;
  /** What each byte becomes; only files of bytes have it. */
  readonly #ofByte: Float32Array | undefined;
  readonly #labels: Int32Array;
  readonly #size: number;

  constructor(options: IdxDatasetOptions) {
    super();
    checkOptions('IdxDataset', options, ['images', 'labels', 'scale', 'mean', 'std', 'channel', 'limit']);
    const images = readIdxFile(requireText('IdxDataset', 'images', options.images));
    const labels = readIdxFile(requireText('IdxDataset', 'labels', options.labels));
    const count = images.shape[0] ?? 0;
    if (images.shape.length < 2) {
      throw new EngineError(
        'data.idx.shape',
        `${options.images} has no images but ${count} single values, as a file of labels has. Give 'images' the other file.`,
        { images: options.images, shape: images.shape },
      );
    }
    if (labels.shape.length !== 1 || labels.shape[0] !== count) {
      throw new EngineError(
        'data.idx.mismatch',
        `${options.images} has ${count} images, but ${options.labels} has labels of shape [${labels.shape}]; they do not belong together.`,
        { images: options.images, labels: options.labels },
      );
    }
    const { scale = 1 / 255, mean = 0, std = 1, channel = true } = options;
    this.length = Math.min(count, options.limit ?? count);
    this.sampleShape = channel ? [...images.shape.slice(1), 1] : images.shape.slice(1);
    this.#size = sizeOf(this.sampleShape);
    this.#labels = Int32Array.from(labels.data.subarray(0, this.length));
    this.#values = images.data;
    this.#scale = (value) => (value * scale - mean) / std;
    if (images.data instanceof Uint8Array) {
      this.#ofByte = Float32Array.from({ length: 256 }, (_, value) => this.#scale(value));
    }
  }

  get(index: number): readonly [HostTensor, HostTensor] {
    this.checkIndex(index);
    const data = new Float32Array(this.#size);
    this.#copy(index, data, 0);
    return [{ data, shape: this.sampleShape }, hostScalar(this.#labels[index] ?? 0, 'int32')];
  }

  /** [images [batch, …sampleShape], labels [batch]]. */
  getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
    const data = new Float32Array(indices.length * this.#size);
    const labels = new Int32Array(indices.length);
    indices.forEach((index, i) => {
      this.checkIndex(index);
      this.#copy(index, data, i * this.#size);
      labels[i] = this.#labels[index] ?? 0;
    });
    return [
      { data, shape: [indices.length, ...this.sampleShape] },
      { data: labels, shape: [indices.length] },
    ];
  }

  #copy(index: number, out: Float32Array, offset: number): void {
    const values = this.#values;
    const size = this.#size;
    const start = index * size;
    const ofByte = this.#ofByte;
    // the loop of bytes is one of its own: it is what nearly every file takes, and knowing the kind makes it fast
    if (ofByte !== undefined && values instanceof Uint8Array) {
      for (let i = 0; i < size; i++) out[offset + i] = ofByte[values[start + i] as number] as number;
    } else {
      for (let i = 0; i < size; i++) out[offset + i] = this.#scale(values[start + i] as number);
    }
  }
}
