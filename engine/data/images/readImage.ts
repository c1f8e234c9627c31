import type { Sharp } from 'sharp';
import { EngineError } from '../../api/errors.ts';
import type { HostTensor } from '../hostTensor.ts';

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
  loading ??= import('sharp').then((module) => module.default);
  return loading;
}

/**
 * Reads and decodes an image file with sharp (libvips): float32 [height, width, channels], values 0 … 1. Transparency is
 * dropped, grey becomes three equal channels where three are asked for. Resizing is bilinear with antialiasing. Throws
 * `data.image` with the path for a file that is no image, damaged or cut off, or smaller than the crop.
 */
export async function readImage(path: string, options: ReadImageOptions): Promise<HostTensor> {
  const sharp = await loadSharp();
  let decoded: { readonly data: Uint8Array; readonly info: { readonly width: number; readonly height: number } };
  try {
    const image = sharp(path, { failOn: 'warning' });
    const sized = await resizeAndCrop(image, path, options);
    decoded = await sized
      .removeAlpha()
      .toColourspace(options.channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(
      'data.image',
      `The image ${path} cannot be read: ${reason}. It is damaged, cut off, or of another kind than its name says.`,
      { path },
      { cause: error },
    );
  }
  const { data, info } = decoded;
  const values = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) values[i] = (data[i] ?? 0) / 255;
  return { data: values, shape: [info.height, info.width, options.channels], dtype: 'float32' };
}

async function resizeAndCrop(image: Sharp, path: string, { resize, centerCrop }: ReadImageOptions): Promise<Sharp> {
  if (resize === undefined && centerCrop === undefined) return image;
  const { width, height } = await image.metadata();
  const [newHeight, newWidth] = resize === undefined ? [height, width] : resized(resize, height, width);
  const sized = resize === undefined ? image : image.resize(newWidth, newHeight, { fit: 'fill', kernel: 'linear' });
  if (centerCrop === undefined) return sized;
  const [cropHeight, cropWidth] = centerCrop;
  if (newHeight < cropHeight || newWidth < cropWidth) {
    throw new EngineError(
      'data.image',
      `The image ${path} is ${newHeight} × ${newWidth} (height × width)${resize === undefined ? '' : ' after resize'}, smaller than center_crop ${cropHeight} × ${cropWidth}. Set resize to at least that.`,
      { path, size: [newHeight, newWidth], center_crop: centerCrop },
    );
  }
  return sized.extract({
    top: Math.round((newHeight - cropHeight) / 2),
    left: Math.round((newWidth - cropWidth) / 2),
    height: cropHeight,
    width: cropWidth,
  });
}

/** torchvision's Resize: the longer side keeps the proportion, cut to a whole number. */
function resized(size: ImageSize, height: number, width: number): readonly [number, number] {
  if (typeof size !== 'number') return size;
  return height <= width ? [size, Math.floor((size * width) / height)] : [Math.floor((size * height) / width), size];
}
