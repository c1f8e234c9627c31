import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codedImage, cutOut, decodeCodes, mirrorColumns } from '../../../engine/data/transforms/codedImage.ts';

const side = fc.integer({ min: 1, max: 6 });
const place = fc.integer({ min: -8, max: 8 });

test('a window of an image in codes has its pixels inside, the fill outside, wherever it lies', () => {
  const images = fc.record({
    height: side,
    width: side,
    channels: fc.constantFrom(1, 3),
    isMirrored: fc.boolean(),
    top: place,
    left: place,
    cutHeight: side,
    // as wide as the image, above all
    cutWidth: fc.option(side),
    // black is code 0; a fifth is a byte's value, a third is none
    fill: fc.constantFrom(0, 0.2, 1 / 3),
  });
  fc.assert(
    fc.property(images, ({ height, width, channels, isMirrored, top, left, cutHeight, cutWidth, fill }) => {
      const bytes = Uint8Array.from({ length: height * width * channels }, (_, i) => 1 + i * 2);
      const plain = codedImage(bytes, height, width, channels);
      const image = isMirrored ? mirrorColumns(plain) : plain;
      const size = [cutHeight, cutWidth ?? width] as const;
      const expected: number[] = [];
      for (let row = top; row < top + size[0]; row++)
        for (let column = left; column < left + size[1]; column++) {
          const isInside = row >= 0 && row < height && column >= 0 && column < width;
          const from = isMirrored ? width - 1 - column : column;
          for (let channel = 0; channel < channels; channel++) {
            const byte = bytes[(row * width + from) * channels + channel] ?? 0;
            expected.push(Math.fround(isInside ? byte / 255 : fill));
          }
        }
      const cut = decodeCodes(cutOut(image, [top, left], size, fill));
      expect(cut.shape).toEqual([...size, channels]);
      expect([...cut.data]).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});
