import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { EngineError } from '../../api/errors.ts';
import { type CodedImage, codedImage, cutOut } from '../transforms/codedImage.ts';
import { getWorkerInfo } from '../worker/workerInfo.ts';
import type { DecodedCache, Pixels } from './decodedCache.ts';
import type { JpegHeader } from './jpegHeader.ts';
import { decodeSmallJpeg } from './smallJpeg.ts';

export type ImageSize = number | readonly [height: number, width: number];

export interface ReadImageOptions {
  readonly channels: 1 | 3;
  /** A number is the length of the shorter side, [height, width] both (torchvision's Resize). */
  readonly resize: ImageSize | undefined;
  /** The middle of the image after resizing. */
  readonly centerCrop: readonly [height: number, width: number] | undefined;
}

let loading: Promise<typeof import('sharp').default> | undefined;

/** Loaded with the first image: projects without images never pay for it. */
async function loadSharp(): Promise<typeof import('sharp').default> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // images differ: remembering what was done to the last ones takes more than it saves
    sharp.cache(false);
    return sharp;
  });
  return loading;
}

/**
 * Reads and decodes an image file, small JPEG files by libjpeg-turbo itself, all others with sharp (libvips):
 * [height, width, channels], values 0 … 1. Transparency is dropped, grey becomes three equal channels where three are
 * asked for. Resizing is bilinear with antialiasing. Throws `data.image` with the path for a file that is no image,
 * damaged or cut off, or smaller than the crop.
 */
export async function readImage(path: string, options: ReadImageOptions, cache?: DecodedCache): Promise<CodedImage> {
  const decode = () => decodeImage(path, options);
  const pixels = await (cache === undefined ? decode() : cache.get(path, decode));
  const { width, height } = pixels.info;
  const [cropHeight, cropWidth] = options.centerCrop ?? [height, width];
  if (height < cropHeight || width < cropWidth) {
    throw new EngineError(
      'data.image',
      `The image ${path} is ${height} × ${width} (height × width)${options.resize === undefined ? '' : ' after resize'}, smaller than center_crop ${cropHeight} × ${cropWidth}. Set resize to at least that.`,
      { path, size: [height, width], center_crop: options.centerCrop },
    );
  }
  const image = codedImage(pixels.data, height, width, options.channels);
  const place = [Math.round((height - cropHeight) / 2), Math.round((width - cropWidth) / 2)] as const;
  return cutOut(image, place, [cropHeight, cropWidth], 0);
}

async function decodeImage(path: string, options: ReadImageOptions): Promise<Pixels> {
  try {
    // a thread that has nothing else to do reads faster by itself than through the pool of threads
    const bytes = getWorkerInfo() === undefined ? await readFile(path) : readFileSync(path);
    const small = await decodeSmallJpeg(bytes, options.channels, (header) => keepsSize(header, options.resize));
    if (small !== undefined) return small;
    const sharp = await loadSharp();
    return await (await resized(sharp(bytes, { failOn: 'warning' }), options))
      .removeAlpha()
      .toColourspace(options.channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
  } catch (error) {
    // libvips says one thing once for each time that it tried
    const reason = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
    const isThere = !(error instanceof Error && 'syscall' in error);
    const hint = isThere ? ' It is damaged, cut off, or of another kind than its name says.' : '';
    throw new EngineError(
      'data.image',
      `The image ${path} cannot be read: ${reason}.${hint}`,
      { path },
      { cause: error },
    );
  }
}

/** Whether resizing to this size changes nothing. */
function keepsSize({ width, height }: JpegHeader, resize: ImageSize | undefined): boolean {
  if (resize === undefined) return true;
  if (typeof resize === 'number') return Math.min(width, height) === resize;
  return resize[0] === height && resize[1] === width;
}

/** torchvision's Resize: of a number the longer side keeps the proportion, cut to a whole number. */
async function resized(image: Sharp, { resize, centerCrop }: ReadImageOptions): Promise<Sharp> {
  if (resize === undefined) return image;
  if (typeof resize !== 'number') return image.resize(resize[1], resize[0], { fit: 'fill', kernel: 'linear' });
  // a pixel of the longer side more or less is cut off again: no need to read the header first
  if (centerCrop !== undefined) return image.resize(resize, resize, { fit: 'outside', kernel: 'linear' });
  const { width, height } = await image.metadata();
  const shorter = Math.min(width, height);
  const [newWidth, newHeight] = [Math.floor((resize * width) / shorter), Math.floor((resize * height) / shorter)];
  return image.resize(newWidth, newHeight, { fit: 'fill', kernel: 'linear' });
}
