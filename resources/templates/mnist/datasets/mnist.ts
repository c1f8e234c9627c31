import { resolve } from 'node:path';
import { IdxDataset, type MapDataset, Subset } from 'accelhydra-studio';
import { MNIST_FILES, mnistPath, prepareMnist } from './mnistFiles.ts';
import { MovedCopies } from './movedCopies.ts';
import { type Progress, printProgress } from './progress.ts';

export interface DigitsOptions {
  /** Folder of the IDX files; they are prepared when they are not there. */
  readonly root: string;
  readonly split: 'train' | 'val' | 'test';
  /** How many of the training digits are kept for validation; the last ones of the file. */
  readonly val_samples?: number;
  /** Only the first samples of the split. */
  readonly max_samples?: number | null;
  /** How many copies of each digit are added, moved by one pixel; 0 unless given. */
  readonly moved_copies?: number;
  readonly progress?: Progress;
}

/** Handwritten digits: samples are [image float32 [28, 28, 1], label int32]. */
export async function digits(options: DigitsOptions): Promise<MapDataset> {
  const { split, val_samples = 1000 } = options;
  const root = resolve(options.root);
  await prepareMnist(root, options.progress ?? printProgress('Preparing MNIST digits'));
  const isTest = split === 'test';
  const files = new IdxDataset({
    images: mnistPath(root, isTest ? MNIST_FILES.testImages : MNIST_FILES.trainImages),
    labels: mnistPath(root, isTest ? MNIST_FILES.testLabels : MNIST_FILES.trainLabels),
  });
  const border = files.length - val_samples;
  if (!isTest && border <= 0)
    throw new Error(`val_samples ${val_samples} leaves none of ${files.length} digits to train on`);
  const [start, end] = isTest ? [0, files.length] : split === 'train' ? [0, border] : [border, files.length];
  const chosen = new Subset({ dataset: files, start, end: Math.min(end, start + (options.max_samples ?? end)) });
  return options.moved_copies ? new MovedCopies(chosen, options.moved_copies) : chosen;
}
