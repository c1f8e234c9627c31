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
    refuseBoth(this.#stride, this.#dilation);
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
    const result = this.#dilation.every((rate) => rate === 1)
      ? convolve(padded, filter, this.#stride, this.#padding.kind)
      : dilated(convolve, padded, filter, this.#dilation, this.#padding.kind);
    return this.bias === undefined ? result : addBias(result, this.bias);
  }
}

/**
 * A dilated convolution as one without over the batch's pixels sorted by their place in the dilation's grid (what
 * TensorFlow's atrous_conv2d does): TensorFlow.js has no gradient of its own dilated ones. Strides are 1.
 */
function dilated(
  convolve: typeof tf.conv2d | typeof tf.depthwiseConv2d,
  images: tf.Tensor4D,
  filter: tf.Tensor4D,
  dilation: readonly [number, number],
  padding: 'same' | 'valid',
): tf.Tensor4D {
  const around = (axis: 0 | 1): [number, number] => {
    const total = padding === 'same' ? dilation[axis] * ((filter.shape[axis] ?? 1) - 1) : 0;
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const padded = padding === 'same' ? tf.pad4d(images, [[0, 0], around(0), around(1), [0, 0]]) : images;
  const fill = (axis: 0 | 1): [number, number] => {
    const rest = (padded.shape[axis + 1] ?? 0) % dilation[axis];
    return [0, rest === 0 ? 0 : dilation[axis] - rest];
  };
  const grid = [fill(0), fill(1)];
  const sorted = tf.spaceToBatchND(padded, [...dilation], grid) as tf.Tensor4D;
  return tf.batchToSpaceND(convolve(sorted, filter, 1, 'valid') as tf.Tensor4D, [...dilation], grid) as tf.Tensor4D;
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

function refuseBoth(stride: readonly number[], dilation: readonly number[]): void {
  if (stride.every((size) => size === 1) || dilation.every((size) => size === 1)) return;
  throw new EngineError(
    'options.invalid',
    `Conv2d: TensorFlow has no convolution with both a stride (${stride}) and a dilation (${dilation}); one of them must be 1.`,
    { stride, dilation },
  );
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
