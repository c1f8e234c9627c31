import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { checkOptions } from '../../../data/options.ts';
import { Module } from '../module.ts';
import { asImages, pair } from './image.ts';

export interface Pool2dOptions {
  readonly kernel_size: number | readonly number[];
  /** kernel_size when absent. */
  readonly stride?: number | readonly number[] | null;
  /** Border on every side: left out by the maximum, counted as zeros by the average (PyTorch's default). */
  readonly padding?: number | readonly number[];
}

interface Window {
  readonly kernel: [number, number];
  readonly stride: [number, number];
  readonly pads: [[number, number], [number, number], [number, number], [number, number]] | undefined;
}

function readWindow(owner: string, options: Pool2dOptions): Window {
  checkOptions(owner, options, ['kernel_size', 'stride', 'padding']);
  const kernel = pair(owner, 'kernel_size', options.kernel_size);
  const [vertical, horizontal] = pair(owner, 'padding', options.padding ?? 0, 0);
  if (vertical * 2 > kernel[0] || horizontal * 2 > kernel[1]) {
    throw new EngineError('options.invalid', `${owner}: 'padding' may be at most half of 'kernel_size'.`, { owner });
  }
  return {
    kernel,
    stride: pair(owner, 'stride', options.stride ?? kernel),
    pads:
      vertical + horizontal === 0
        ? undefined
        : [
            [0, 0],
            [vertical, vertical],
            [horizontal, horizontal],
            [0, 0],
          ],
  };
}

/** Largest value of each window of images [batch, height, width, channels]. */
export class MaxPool2d extends Module {
  readonly #window: Window;

  constructor(options: Pool2dOptions) {
    super();
    this.#window = readWindow('MaxPool2d', options);
  }

  call(input: tf.Tensor): tf.Tensor {
    const images = asImages('MaxPool2d', input);
    const { kernel, stride, pads } = this.#window;
    // The lowest float32 never wins against a real value.
    const padded = pads === undefined ? images : tf.pad4d(images, pads, -3.4e38);
    return tf.maxPool(padded, kernel, stride, 'valid');
  }
}

/** Mean of each window of images [batch, height, width, channels]. */
export class AvgPool2d extends Module {
  readonly #window: Window;

  constructor(options: Pool2dOptions) {
    super();
    this.#window = readWindow('AvgPool2d', options);
  }

  call(input: tf.Tensor): tf.Tensor {
    const images = asImages('AvgPool2d', input);
    const { kernel, stride, pads } = this.#window;
    return tf.avgPool(pads === undefined ? images : tf.pad4d(images, pads), kernel, stride, 'valid');
  }
}
