import { EngineError } from '../../api/errors.ts';
import { Dataset } from '../dataset/dataset.ts';
import type { SampleContext } from '../dataset/sampleContext.ts';
import { type HostTensor, hostScalar } from '../hostTensor.ts';
import { checkOptions, requireText, requireWhole } from '../options.ts';
import { type CodedImage, decodeCodes, decodeLate } from '../transforms/codedImage.ts';
import { Normalize } from '../transforms/colors.ts';
import { readSize, type Transform } from '../transforms/transform.ts';
import { applyTransforms, readTransforms } from '../transforms/transformDataset.ts';
import { findClassFolders, imageExtensions } from './classFolders.ts';
import { DecodedCache } from './decodedCache.ts';
import { type ImageSize, type ReadImageOptions, readImage } from './readImage.ts';

export interface ImageFolderOptions {
  /** Folder with one folder for each class. */
  readonly root: string;
  /** A number is the length of the shorter side, [height, width] both (torchvision's Resize). */
  readonly resize?: ImageSize | null;
  /** After resizing: a number for a square, or [height, width]. */
  readonly center_crop?: ImageSize | null;
  /** 3 (the default) or 1 for grey. */
  readonly channels?: 1 | 3;
  /** Random changes, applied to values 0 … 1 before mean and std. */
  readonly transforms?: readonly Transform[] | null;
  /** Then (value − mean) / std, one number or one for each channel. */
  readonly mean?: number | readonly number[] | null;
  readonly std?: number | readonly number[] | null;
  /** Endings of the files to take; those of the formats that sharp reads unless given. */
  readonly extensions?: readonly string[] | null;
  /**
   * Megabytes of decoded images that each process and each worker thread keeps, so that later passes need not decode them
   * again; 0 (the default) keeps none. Augmentations come after it.
   */
  readonly cache_mb?: number;
  /** Whether a class folder may have no image. */
  readonly allow_empty?: boolean;
}

const known = [
  'root',
  'resize',
  'center_crop',
  'channels',
  'transforms',
  'mean',
  'std',
  'extensions',
  'cache_mb',
  'allow_empty',
];

/**
 * Images in class folders, found and numbered as torchvision.datasets.ImageFolder does. One sample is [image float32
 * [height, width, channels], label int32 []]; images are decoded when asked for, by sharp's own threads. Throws
 * `data.folder` for folders without images, `data.image` with the path of one that cannot be read.
 */
export class ImageFolder extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly root: string;
  /** Class names, sorted; a class's place is its number. */
  readonly classes: readonly string[];
  readonly class_to_idx: Readonly<Record<string, number>>;
  /** Path and class number of each sample. */
  readonly samples: readonly (readonly [path: string, label: number])[];
  readonly #read: ReadImageOptions;
  readonly #transforms: readonly Transform[];
  readonly #cache: DecodedCache | undefined;

  constructor(options: ImageFolderOptions) {
    super();
    checkOptions('ImageFolder', options, known);
    this.root = requireText('ImageFolder', 'root', options.root);
    const { channels = 3 } = options;
    if (channels !== 1 && channels !== 3) {
      throw new EngineError('options.invalid', `ImageFolder: 'channels' must be 1 or 3; it is ${channels}.`, {});
    }
    const { resize, center_crop } = options;
    if (resize != null) readSize('ImageFolder', 'resize', resize);
    const centerCrop = center_crop == null ? undefined : readSize('ImageFolder', 'center_crop', center_crop);
    this.#read = { channels, resize: resize ?? undefined, centerCrop };
    const transforms = options.transforms == null ? [] : readTransforms('ImageFolder', options.transforms);
    const isNormalized = options.mean != null || options.std != null;
    this.#transforms = isNormalized
      ? [...transforms, new Normalize({ mean: options.mean ?? 0, std: options.std ?? 1 })]
      : transforms;
    const cacheMb = requireWhole('ImageFolder', 'cache_mb', options.cache_mb ?? 0, 0);
    this.#cache = cacheMb === 0 ? undefined : new DecodedCache(cacheMb * 2 ** 20);
    const found = findClassFolders(options.root, options.extensions ?? imageExtensions, options.allow_empty ?? false);
    this.classes = found.classes;
    this.samples = found.samples;
    this.class_to_idx = Object.fromEntries(found.classes.map((name, number) => [name, number]));
  }

  get length(): number {
    return this.samples.length;
  }

  async get(index: number, context?: SampleContext): Promise<readonly [HostTensor, HostTensor]> {
    return this.#sample(index, context, decodeCodes);
  }

  async getToStack(index: number, context?: SampleContext): Promise<readonly [HostTensor, HostTensor]> {
    return this.#sample(index, context, decodeLate);
  }

  async #sample(
    index: number,
    context: SampleContext | undefined,
    decode: (image: CodedImage) => HostTensor,
  ): Promise<readonly [HostTensor, HostTensor]> {
    this.checkIndex(index);
    const [path, label] = this.samples[index] ?? ['', 0];
    const image = await readImage(path, this.#read, this.#cache);
    return [applyTransforms(this.#transforms, image, context, decode), hostScalar(label, 'int32')];
  }
}
