import { type Tensor, tensor1d } from '@tensorflow/tfjs';
import type { NativeAttribute } from '../nativeBinding.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';
import { tryOptional } from './optional.ts';

/** So few channels make a library's convolution slow: it is made for rearranging many. */
const mostChannels = 4;
/** Outputs that our kernel computes together. */
const outputsTogether = 8;

/**
 * The convolution of images [batch, height, width, channels] of few channels with a filter [height, width, channels, outputs], and
 * bias [outputs], by a kernel of our own; undefined where it cannot stand in. Attributes are Conv2D's.
 */
export function tryThinConvolution(
  backend: NativeBackend,
  attributes: readonly NativeAttribute[],
  [x, filter, bias]: readonly Tensor[],
): Tensor[] | undefined {
  if (x === undefined || filter === undefined) return undefined;
  const own = ownAttributes(backend, attributes, x, filter.shape[3] ?? 1);
  if (own === undefined) return undefined;
  if (bias !== undefined) return tryOptional(backend, 'AccelHydraThinConv2D', own, [x, filter, bias], 1);
  const none = tensor1d([], 'float32');
  const result = tryOptional(backend, 'AccelHydraThinConv2D', own, [x, filter, none], 1);
  none.dispose();
  return result;
}

/** Inputs and attributes are those of Conv2DBackpropFilter: images, sizes of the filter, gradient of the output. */
export function tryThinFilterGradient(
  backend: NativeBackend,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
): Tensor[] | undefined {
  const [x, , dy] = inputs;
  if (x === undefined || dy === undefined) return undefined;
  const own = ownAttributes(backend, attributes, x, dy.shape[3] ?? 1);
  return own && tryOptional(backend, 'AccelHydraThinConv2DFilterGrad', own, inputs, 1);
}

function ownAttributes(
  { binding }: NativeBackend,
  attributes: readonly NativeAttribute[],
  x: Tensor,
  outputs: number,
): NativeAttribute[] | undefined {
  const by = new Map(attributes.map(({ name, value }) => [name, value]));
  const strides = by.get('strides');
  const padding = by.get('padding');
  const fits = x.shape.length === 4 && (x.shape[3] ?? 0) <= mostChannels && outputs % outputsTogether === 0;
  const isPlain = by.get('data_format') === 'NHWC' && String(by.get('dilations')) === '1,1,1,1';
  if (!fits || !isPlain || !Array.isArray(strides) || (padding !== 'SAME' && padding !== 'VALID')) return undefined;
  return [
    attribute.int(binding, 'stride_height', Number(strides[1])),
    attribute.int(binding, 'stride_width', Number(strides[2])),
    attribute.string(binding, 'padding', padding),
  ];
}
