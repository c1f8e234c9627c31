import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { readPlainJpeg } from '../../../engine/data/images/jpegHeader.ts';
import { decodeSmallJpeg } from '../../../engine/data/images/smallJpeg.ts';

const [width, height] = [45, 37];
const pixels = Buffer.from(
  Array.from({ length: width * height * 3 }, (_, i) => 128 + 90 * Math.sin(i * 0.01) + 12 * Math.sin(i * i * 0.37)),
);
const picture = () => sharp(pixels, { raw: { width, height, channels: 3 } });
const jpeg = () => picture().jpeg({ quality: 90 });
const always = () => true;

async function bySharp(file: Buffer, channels: 1 | 3): Promise<Buffer> {
  const space = channels === 1 ? 'b-w' : 'srgb';
  return sharp(file).removeAlpha().toColourspace(space).raw({ depth: 'uchar' }).toBuffer();
}

test.each([
  { id: 'halved colour', file: () => jpeg() },
  { id: 'full colour', file: () => picture().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }) },
  { id: 'progressive', file: () => picture().jpeg({ progressive: true }) },
  { id: 'turned by EXIF, which is not followed', file: () => jpeg().withExif({ IFD0: { Orientation: '6' } }) },
  { id: 'grey', file: () => picture().toColourspace('b-w').jpeg() },
  { id: 'grey as it is', file: () => picture().toColourspace('b-w').jpeg(), channels: 1 },
] as const)('a small file, $id, gives the very pixels that sharp gives', async ({ file, ...row }) => {
  const channels = 'channels' in row ? row.channels : 3;
  const bytes = await file().toBuffer();
  const small = await decodeSmallJpeg(bytes, channels, always);
  expect(small?.info).toEqual({ width, height });
  expect(Buffer.from(small?.data ?? []).equals(await bySharp(bytes, channels))).toBe(true);
});

test.each([
  { id: 'an RGB one', file: () => jpeg(), channels: 1 },
  { id: 'one with a colour profile', file: () => jpeg().withIccProfile('p3') },
  { id: 'CMYK', file: () => picture().toColourspace('cmyk').jpeg() },
  { id: 'another format', file: () => picture().png() },
  { id: 'a large one', file: () => picture().resize(300, 300).jpeg() },
] satisfies { id: string; file: () => Sharp; channels?: 1 | 3 }[])('$id is left to sharp', async (row) => {
  const { file, channels = 3 } = { channels: 3 as const, ...row };
  expect(await decodeSmallJpeg(await file().toBuffer(), channels === 1 ? 1 : 3, always)).toBeUndefined();
});

test('components of other names than 1, 2 and 3 are left to sharp', async () => {
  const bytes = await jpeg().toBuffer();
  // marker, length, precision, height, width, count; then three bytes for each component, its name first
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0])) + 10;
  expect([0, 3, 6].map((at) => bytes[frame + at])).toEqual([1, 2, 3]);
  for (const at of [0, 3, 6]) {
    const renamed = Buffer.from(bytes);
    renamed[frame + at] = 82;
    expect(readPlainJpeg(renamed)).toBeUndefined();
  }
  expect(readPlainJpeg(bytes)).toBeDefined();
});

test('a file that is cut off or damaged is left to sharp, wherever it ends, and the next one is read all the same', async () => {
  const bytes = await jpeg().toBuffer();
  for (let end = 0; end < bytes.length; end += 41) {
    expect(await decodeSmallJpeg(bytes.subarray(0, end), 3, always)).toBeUndefined();
  }
  expect(await decodeSmallJpeg(bytes.subarray(0, -2), 3, always)).toBeUndefined();
  expect((await decodeSmallJpeg(bytes, 3, always))?.data.length).toBe(pixels.length);
});

test('the header is asked before anything is decoded', async () => {
  const bytes = await jpeg().toBuffer();
  expect(readPlainJpeg(bytes)).toEqual({ width, height, components: 3 });
  expect(await decodeSmallJpeg(bytes, 3, (header) => header.width !== width)).toBeUndefined();
});
