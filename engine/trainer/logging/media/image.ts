import { EngineError } from '../../../api/errors.ts';
import type { HostValues } from './mediaValue.ts';

/** Pixels of one image, rows from the top, channels last, 8 bits each. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
}

/** Larger images are of no use on a page and slow the training down. */
const longestSide = 8192;

/**
 * The images of a value: [height, width], [height, width, channels] or [batch, height, width, channels], channels 1 (grey),
 * 3 (RGB) or 4 (RGBA). Floats are 0 to 1, as TensorFlow's image summaries take them, whole numbers 0 to 255, bool 0 or 1;
 * what lies outside is clipped and NaN is black. `normalize` maps each image's finite minimum and maximum to 0 and 1
 * instead. Throws `trainer.media` for another shape.
 */
export function toPixels(values: HostValues, key: string, normalize: boolean): Pixels[] {
  const { count, height, width, channels } = imageShape(values.shape, key);
  const size = height * width * channels;
  return Array.from({ length: count }, (_, index) => {
    const scale = normalize ? rangeScale(values.data, index * size, size) : typeScale(values.dtype);
    const data = new Uint8Array(size);
    for (let i = 0; i < size; i++) {
      const value = ((values.data[index * size + i] ?? 0) - scale.offset) * scale.factor;
      // written so that NaN becomes 0
      data[i] = value > 0 ? Math.min(255, Math.round(value)) : 0;
    }
    return { data, width, height, channels };
  });
}

/** PNG, without loss. */
export async function encodePng({ data, width, height, channels }: Pixels): Promise<Uint8Array> {
  // Loaded with the first image: most trainings log none.
  const { default: sharp } = await import('sharp');
  const image = sharp(data, { raw: { width, height, channels } });
  const png = await (channels === 1 ? image.toColourspace('b-w') : image).png().toBuffer();
  return new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
}

function imageShape(shape: readonly number[], key: string) {
  const [count, height, width, channels] =
    shape.length === 2 ? [1, ...shape, 1] : shape.length === 3 ? [1, ...shape] : shape;
  const isSized = shape.length >= 2 && shape.length <= 4 && shape.every((size) => size > 0);
  if (!isSized || (channels !== 1 && channels !== 3 && channels !== 4)) {
    const isChannelsFirst = [1, 3, 4].includes(shape.at(-3) ?? 0) && shape.length > 2;
    throw new EngineError(
      'trainer.media',
      `'${key}': an image has the shape [height, width], [height, width, channels] or [batch, height, width, channels] with 1, 3 or 4 channels; this has [${shape.join(', ')}].${isChannelsFirst ? ' Its channels come first: transpose it.' : ''}`,
      { key, shape },
    );
  }
  if ((height ?? 0) > longestSide || (width ?? 0) > longestSide) {
    throw new EngineError(
      'trainer.media',
      `'${key}': an image of more than ${longestSide} pixels a side is not logged.`,
      {
        key,
        shape,
      },
    );
  }
  return { count: count ?? 0, height: height ?? 0, width: width ?? 0, channels } as const;
}

function typeScale(dtype: string): { readonly offset: number; readonly factor: number } {
  return { offset: 0, factor: dtype === 'int32' ? 1 : 255 };
}

function rangeScale(data: ArrayLike<number>, start: number, size: number) {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + size; i++) {
    const value = data[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return maximum > minimum ? { offset: minimum, factor: 255 / (maximum - minimum) } : { offset: minimum, factor: 0 };
}
