import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../../engine/base/random.ts';
import {
  ColorJitter,
  DataLoader,
  DefaultCollate,
  disposeBatch,
  type HostTensor,
  ImageFolder,
  ListDataset,
  Normalize,
  RandomAffine,
  RandomCrop,
  RandomHorizontalFlip,
  RandomVerticalFlip,
  sampleContext,
  type Transform,
  TransformDataset,
} from '../../../engine/data/index.ts';
import { images } from '../../fixtures/data/workerDatasets.ts';

const folder = mkdtempSync(join(tmpdir(), 'data-images-'));
const root = join(folder, 'pets');
afterAll(() => rmSync(folder, { recursive: true }));

/** A picture whose red grows to the right and green downwards. */
async function picture(name: string, width: number, height: number): Promise<string> {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  const pixels = Buffer.from(
    Array.from({ length: width * height }, (_, i) => [(i % width) * 10, Math.floor(i / width) * 10, 255]).flat(),
  );
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(path);
  return path;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  await picture('pets/dog/b.png', 6, 4);
  await picture('pets/dog/a.png', 4, 4);
  await picture('pets/cat/z/deep.png', 4, 4);
  await picture('pets/cat/m.PNG', 4, 4);
  writeFileSync(join(root, 'cat', 'notes.txt'), 'no image');
  writeFileSync(join(root, 'README'), 'no class');
});

test('classes and samples are found in the order of torchvision', () => {
  const dataset = new ImageFolder({ root });
  expect(dataset.classes).toEqual(['cat', 'dog']);
  expect(dataset.class_to_idx).toEqual({ cat: 0, dog: 1 });
  expect(dataset.samples.map(([path, label]) => [path.slice(root.length + 1), label])).toEqual([
    ['cat/m.PNG', 0],
    ['cat/z/deep.png', 0],
    ['dog/a.png', 1],
    ['dog/b.png', 1],
  ]);
});

test('an image is float32 [height, width, channels] from 0 to 1', async () => {
  const [image, label] = await new ImageFolder({ root }).get(3);
  expect([image.shape, image.dtype, label.data[0]]).toEqual([[4, 6, 3], 'float32', 1]);
  expect([...image.data.subarray(0, 6)]).toEqual([0, 0, 1, 10 / 255, 0, 1].map(Math.fround));
  const [grey] = await new ImageFolder({ root, channels: 1 }).get(3);
  expect(grey.shape).toEqual([4, 6, 1]);
});

test('resize by the shorter side, crop the middle, normalise', async () => {
  const [whole] = await new ImageFolder({ root, resize: 8 }).get(3);
  expect(whole.shape).toEqual([8, 12, 3]);
  const [middle] = await new ImageFolder({ root, center_crop: [4, 2] }).get(3);
  expect(middle.shape).toEqual([4, 2, 3]);
  expect(middle.data[0]).toBe(Math.fround(20 / 255));
  const [normal] = await new ImageFolder({ root, mean: [0, 0, 0.5], std: 0.5 }).get(0);
  expect([...normal.data.subarray(0, 3)]).toEqual([0, 0, 1]);
});

test.each([
  { id: 'a damaged image', options: {}, bytes: (bytes: Buffer) => bytes.subarray(0, 60) },
  { id: 'no image', options: {}, bytes: () => Buffer.from('hello') },
])('$id is named', async ({ options, bytes }) => {
  const path = await picture('bad/one/x.png', 64, 64);
  writeFileSync(path, bytes(readFileSync(path)));
  const dataset = new ImageFolder({ root: join(folder, 'bad'), ...options });
  await expect(dataset.get(0)).rejects.toThrow(`The image ${path} cannot be read`);
});

test('cache_mb keeps decoded images, up to its limit, and changes no sample', async () => {
  const [first, second] = [await picture('kept/one/a.png', 600, 600), await picture('kept/one/b.png', 600, 600)];
  const plain = new ImageFolder({ root: join(folder, 'kept') });
  const kept = new ImageFolder({ root: join(folder, 'kept'), cache_mb: 2 });
  for (const index of [0, 1]) expect(await kept.get(index)).toEqual(await plain.get(index));
  const before = await kept.get(0);
  rmSync(first);
  rmSync(second);
  expect(await kept.get(0)).toEqual(before);
  // 600 × 600 × 3 bytes each: the second one had no room
  await expect(kept.get(1)).rejects.toThrow(/b\.png cannot be read/);
});

/** Ours, behind a class of its own: it gets and gives pixels. */
class OnPixels {
  readonly #transform: Transform;

  constructor(transform: Transform) {
    this.#transform = transform;
  }

  call(image: HostTensor, random: Random | undefined): HostTensor {
    return this.#transform.call(image, random);
  }
}

/** Leaves images as they are, and tells what it got. */
class Watched extends RandomHorizontalFlip {
  seen = 0;

  override call(image: HostTensor): HostTensor {
    this.seen += image.data.length;
    return image;
  }
}

test.each([1, 3] as const)(
  'transforms of an image of %i channels in codes give what pixels give, to the bit',
  async (channels) => {
    await picture(`coded/one/${channels}.png`, 13, 9);
    const mean = channels === 3 ? [0.485, 0.456, 0.406] : 0.4;
    const collate = new DefaultCollate();
    const lists: readonly (readonly Transform[])[] = [
      [
        new RandomCrop({ size: [8, 11], padding: 3, fill: 0.3 }),
        new RandomHorizontalFlip(),
        new RandomVerticalFlip(),
        new ColorJitter({ brightness: 0.4, contrast: 0.4 }),
        new RandomCrop({ size: [7, 9], padding: [1, 0], fill: -0 }),
        new ColorJitter({ contrast: 0.9 }),
      ],
      [
        new RandomHorizontalFlip(),
        new RandomCrop({ size: [14, 20], padding: [6, 9] }),
        new Normalize({ mean, std: 0.25 }),
        new RandomCrop({ size: 12, padding: 2, fill: 7 }),
        new ColorJitter({ brightness: 0.4, contrast: 0.4 }),
      ],
      [new RandomCrop({ size: 5 }), new RandomAffine({ degrees: 20 }), new RandomHorizontalFlip()],
    ];
    for (const transforms of lists) {
      const options = { root: join(folder, 'coded'), channels, mean, std: 0.5, center_crop: [8, 12] as const };
      const coded = new ImageFolder({ ...options, transforms });
      const pixels = new ImageFolder({ ...options, transforms: transforms.map((each) => new OnPixels(each)) });
      for (let pass = 0; pass < 24; pass++) {
        const at = sampleContext({ seed: 3, pass }, 0);
        const sample = await coded.get(0, at);
        expect(sample).toEqual(await pixels.get(0, sampleContext({ seed: 3, pass }, 0)));
        const late = await coded.getToStack(0, sampleContext({ seed: 3, pass }, 0));
        expect(collate.host([late, late])).toEqual(collate.host([sample, sample]));
      }
      expect(await coded.get(0)).toEqual(await pixels.get(0));
    }
  },
);

test('a class that extends one of ours is called as it is', async () => {
  const watched = new Watched({ p: 1 });
  const [image] = await new ImageFolder({ root, transforms: [watched] }).get(0, sampleContext({ seed: 1, pass: 0 }, 0));
  expect(watched.seen).toBe(image.data.length);
});

test('folders without what is needed are named', async () => {
  mkdirSync(join(folder, 'empty', 'cat'), { recursive: true });
  expect(() => new ImageFolder({ root: join(folder, 'nowhere') })).toThrow(/nowhere cannot be read/);
  expect(() => new ImageFolder({ root: join(root, 'dog') })).toThrow(/has no class folders/);
  expect(() => new ImageFolder({ root: join(folder, 'empty') })).toThrow(/in the class cat\./);
  expect(new ImageFolder({ root: join(folder, 'empty'), allow_empty: true }).length).toBe(0);
  await expect(new ImageFolder({ root, center_crop: 5 }).get(0)).rejects.toThrow(/m\.PNG is 4 × 4.*smaller/);
});

test('worker threads decode the same images', async () => {
  const recipe = {
    module: pathToFileURL(join(import.meta.dirname, '../../fixtures/data/workerDatasets.ts')).href,
    export: 'images',
    argument: root,
  };
  const read = async (num_workers: number) => {
    const loader = new DataLoader({
      dataset: images(root),
      batch_size: 3,
      seed: 1,
      num_workers,
      worker_recipe: recipe,
    });
    const seen: unknown[] = [];
    for await (const batch of loader) {
      seen.push((batch as tf.Tensor[]).map((tensor) => tensor.arraySync()));
      disposeBatch(batch);
    }
    await loader.dispose();
    return seen;
  };
  const own = await read(0);
  expect(own).toHaveLength(2);
  expect(await read(2)).toEqual(own);
});

const small: HostTensor = { data: Float32Array.from({ length: 6 }, (_, i) => i / 10), shape: [2, 3, 1] };
const values = (tensor: HostTensor) => Array.from(tensor.data, (value) => Math.round(value * 1000) / 1000);

test('flips mirror, and only by chance', () => {
  const random = new Random(1);
  expect(values(new RandomHorizontalFlip({ p: 1 }).call(small, random))).toEqual([0.2, 0.1, 0, 0.5, 0.4, 0.3]);
  expect(values(new RandomVerticalFlip({ p: 1 }).call(small, random))).toEqual([0.3, 0.4, 0.5, 0, 0.1, 0.2]);
  const flipped = Array.from(
    { length: 400 },
    () => new RandomHorizontalFlip({ p: 0.25 }).call(small, random) !== small,
  );
  expect(flipped.filter(Boolean).length / 400).toBeCloseTo(0.25, 1);
});

test('a crop is a window of the padded image', () => {
  const crop = new RandomCrop({ size: [2, 3], padding: 1, fill: 9 });
  expect(values(crop.call(small, undefined))).toEqual(values(small));
  const seen = new Set(Array.from({ length: 200 }, (_, i) => values(crop.call(small, new Random(i))).join()));
  expect(seen.size).toBe(9);
  expect(seen).toContain([9, 9, 9, 9, 0, 0.1].join());
  expect(() => new RandomCrop({ size: 4 }).call(small, undefined)).toThrow(/\[4, 4\] out of an image of \[2, 3\]/);
});

test('an affine change turns clockwise, shifts and enlarges', () => {
  const image: HostTensor = { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), shape: [3, 3, 1] };
  const turned = new RandomAffine({ degrees: [90, 90] }).call(image, new Random(1));
  expect(values(turned)).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
  expect(values(new RandomAffine({ degrees: 0 }).call(image, new Random(1)))).toEqual(values(image));
  const shifts = new Set(
    Array.from({ length: 60 }, (_, i) =>
      values(new RandomAffine({ degrees: 0, translate: [0.34, 0] }).call(image, new Random(i))).join(),
    ),
  );
  expect(shifts).toEqual(new Set(['1,2,3,4,5,6,7,8,9', '0,1,2,0,4,5,0,7,8', '2,3,0,5,6,0,8,9,0']));
});

test('an affine change is bilinear, with fill outside, whatever the size and the channels', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(1, 2, 3),
      fc.nat(),
      (height, width, channels, seed) => {
        const data = Float32Array.from({ length: height * width * channels }, (_, i) => Math.sin(i * 1.7 + seed));
        const options = { degrees: 180, translate: [0.5, 0.5], scale: [0.4, 2], fill: 0.25 } as const;
        const moved = new RandomAffine(options).call({ data, shape: [height, width, channels] }, new Random(seed));
        const random = new Random(seed);
        const draw = (low: number, high: number) => low + (high - low) * random.uniform();
        const angle = (draw(-180, 180) * Math.PI) / 180;
        const right = Math.round(draw(-0.5 * width, 0.5 * width));
        const down = Math.round(draw(-0.5 * height, 0.5 * height));
        const scale = draw(0.4, 2);
        const pixel = (row: number, column: number, channel: number) =>
          row < 0 || column < 0 || row >= height || column >= width
            ? 0.25
            : (data[(row * width + column) * channels + channel] ?? Number.NaN);
        moved.data.forEach((value, i) => {
          const channel = i % channels;
          const x = (Math.floor(i / channels) % width) - (width - 1) / 2 - right;
          const y = Math.floor(i / channels / width) - (height - 1) / 2 - down;
          const fromX = (Math.cos(angle) * x + Math.sin(angle) * y) / scale + (width - 1) / 2;
          const fromY = (Math.cos(angle) * y - Math.sin(angle) * x) / scale + (height - 1) / 2;
          const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
          const [partX, partY] = [fromX - left, fromY - top];
          const upper = pixel(top, left, channel) * (1 - partX) + pixel(top, left + 1, channel) * partX;
          const lower = pixel(top + 1, left, channel) * (1 - partX) + pixel(top + 1, left + 1, channel) * partX;
          expect(value).toBeCloseTo(upper * (1 - partY) + lower * partY, 5);
        });
      },
    ),
  );
});

test('colours change within 0 to 1, and normalising checks its channels', () => {
  const image: HostTensor = { data: Float32Array.of(0.2, 0.4, 0.6, 0.8), shape: [2, 2, 1] };
  expect(values(new ColorJitter({ brightness: [2, 2] }).call(image, new Random(1)))).toEqual([0.4, 0.8, 1, 1]);
  expect(values(new ColorJitter({ contrast: [0, 0] }).call(image, new Random(1)))).toEqual([0.5, 0.5, 0.5, 0.5]);
  expect(() => new Normalize({ mean: [0, 0, 0], std: 1 }).call(image)).toThrow(/3 values for images with 1 channels/);
});

test('a transformed dataset changes the image alone, by the sample, and nothing when only looked at', async () => {
  const dataset = new TransformDataset({
    dataset: new ListDataset({
      samples: [
        [small, 3],
        [small, 4],
      ],
    }),
    transforms: [new RandomAffine({ degrees: 30 })],
  });
  const at = (index: number, pass: number) => dataset.get(index, sampleContext({ seed: 1, pass }, index)) as unknown[];
  expect(dataset.get(0)).toEqual([small, 3]);
  expect(at(0, 0)).toEqual(at(0, 0));
  expect(at(0, 0)).not.toEqual(at(0, 1));
  expect(at(1, 0)[1]).toBe(4);
  expect(() => new TransformDataset({ dataset: new ListDataset({ samples: ['x'] }), transforms: [] }).get(0)).toThrow(
    /no image tensor at 0/,
  );
});
