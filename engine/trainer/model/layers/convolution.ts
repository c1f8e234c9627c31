import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { checkOptions, requireWhole } from '../../../data/options.ts';
import { fanInBound, uniformParameter } from '../initialise.ts';
import { Module } from '../module.ts';
import { addBias, convolveWithBias } from '../native/convolve.ts';
import { asImages, pair } from './image.ts';

export interface Conv2dOptions {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly kernel_size: number | readonly number[];
  readonly stride?: number | readonly number[];
  /** Zeros on every side, or 'same' (stride 1) or 'valid'. */
  readonly padding?: number | readonly number[] | 'same' | 'valid';
  readonly dilation?: number | readonly number[];
  /** 1, or in_channels for a depthwise convolution. */
  readonly groups?: number;
  readonly bias?: boolean;
}

const known = ['in_channels', 'out_channels', 'kernel_size', 'stride', 'padding', 'dilation', 'groups', 'bias'];

/**
 * 2-D convolution of images [batch, height, width, in_channels] (NHWC). `weight` is [kernel height, kernel width,
 * in_channels, out_channels], TensorFlow's layout: PyTorch's [out, in, h, w] transposed by (2, 3, 1, 0). A depthwise
 * weight is [kernel height, kernel width, in_channels, out_channels / in_channels].
 */
export class Conv2d extends Module {
  readonly weight: tf.Variable;
  readonly bias: tf.Variable | undefined;
  readonly #shape: [number, number, number, number];
  readonly #stride: [number, number];
  readonly #dilation: [number, number];
  readonly #padding: Padding;
  readonly #isDepthwise: boolean;

  constructor(options: Conv2dOptions) {
    super();
    checkOptions('Conv2d', options, known);
    const inputs = requireWhole('Conv2d', 'in_channels', options.in_channels, 1);
    const outputs = requireWhole('Conv2d', 'out_channels', options.out_channels, 1);
    const kernel = pair('Conv2d', 'kernel_size', options.kernel_size);
    this.#stride = pair('Conv2d', 'stride', options.stride ?? 1);
    this.#dilation = pair('Conv2d', 'dilation', options.dilation ?? 1);
    this.#padding = readPadding(options.padding ?? 0, kernel, this.#stride, this.#dilation);
    this.#isDepthwise = isDepthwise(options.groups ?? 1, inputs, outputs);
    this.#shape = [...kernel, inputs, this.#isDepthwise ? outputs / inputs : outputs];
    const bound = fanInBound(kernel[0] * kernel[1] * (this.#isDepthwise ? 1 : inputs));
    this.weight = uniformParameter(this.#shape, bound);
    this.bias = (options.bias ?? true) ? uniformParameter([outputs], bound) : undefined;
  }

  call(input: tf.Tensor): tf.Tensor {
    const images = asImages('Conv2d', input);
    const padded = this.#padding.explicit === undefined ? images : tf.pad4d(images, this.#padding.explicit);
    const filter = this.weight.as4D(...this.#shape);
    const isPlain = !this.#isDepthwise && this.#dilation.every((rate) => rate === 1);
    if (isPlain && this.bias !== undefined) {
      return convolveWithBias(padded, filter, this.bias, this.#stride, this.#padding.kind);
    }
    const convolve = this.#isDepthwise ? tf.depthwiseConv2d : tf.conv2d;
    const result = convolve(padded, filter, this.#stride, this.#padding.kind, 'NHWC', this.#dilation);
    return this.bias === undefined ? result : addBias(result, this.bias);
  }
}

interface Padding {
  readonly kind: 'same' | 'valid';
  readonly explicit?: [[number, number], [number, number], [number, number], [number, number]];
}

/** TensorFlow's 'same' where it puts the zeros where PyTorch does, an explicit pad where it would not. */
function readPadding(
  padding: NonNullable<Conv2dOptions['padding']>,
  kernel: readonly [number, number],
  stride: readonly [number, number],
  dilation: readonly [number, number],
): Padding {
  if (padding === 'valid') return { kind: 'valid' };
  if (padding === 'same') {
    if (stride[0] === 1 && stride[1] === 1) return { kind: 'same' };
    throw new EngineError('options.invalid', `Conv2d: padding 'same' needs stride 1; give the padding as a number.`, {
      stride,
    });
  }
  const [vertical, horizontal] = pair('Conv2d', 'padding', padding, 0);
  if (vertical === 0 && horizontal === 0) return { kind: 'valid' };
  const keepsSize =
    stride[0] === 1 &&
    stride[1] === 1 &&
    dilation[0] * (kernel[0] - 1) === 2 * vertical &&
    dilation[1] * (kernel[1] - 1) === 2 * horizontal;
  if (keepsSize) return { kind: 'same' };
  return {
    kind: 'valid',
    explicit: [
      [0, 0],
      [vertical, vertical],
      [horizontal, horizontal],
      [0, 0],
    ],
  };
}

function isDepthwise(groups: number, inputs: number, outputs: number): boolean {
  if (groups === 1) return false;
  if (groups === inputs && outputs % inputs === 0) return true;
  throw new EngineError(
    'options.invalid',
    `Conv2d: 'groups' is ${groups}; possible are 1 and, with out_channels a multiple of in_channels, in_channels (${inputs}).`,
    { groups },
  );
}
