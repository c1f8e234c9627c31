import type { KernelConfig, Tensor } from '@tensorflow/tfjs';
import { isMixedPrecision } from './autocast.ts';
import { tensorInput } from './inputs.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';
import { tryOneDnn } from './optional.ts';
import { tryThinConvolution } from './thinConvolution.ts';

/**
 * Convolution of `x` [batch, height, width, in] with `filter` [height, width, in, out] plus `bias` [out]: with oneDNN in one
 * pass over the output, otherwise as two ops. Attributes: `strides` [vertical, horizontal], `pad` 'same' or 'valid'.
 */
export function convolutionWithBias(fast: NativeBackend): KernelConfig {
  return {
    kernelName: 'Conv2DWithBias',
    backendName: 'tensorflow',
    kernelFunc: (call) => {
      const [x, filter, bias] = ['x', 'filter', 'bias'].map((name) => tensorInput(call, name)) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const { strides, pad } = call.attrs ?? {};
      if (!Array.isArray(strides) || typeof pad !== 'string') throw new Error('Internal error: strides and pad');
      const { binding } = fast;
      const attributes = [
        attribute.float32(binding),
        attribute.int(binding, 'strides', [1, Number(strides[0]), Number(strides[1]), 1]),
        attribute.string(binding, 'padding', pad.toUpperCase()),
        attribute.string(binding, 'data_format', 'NHWC'),
        attribute.bool(binding, 'use_cudnn_on_gpu', true),
        attribute.int(binding, 'dilations', [1, 1, 1, 1]),
      ];
      const fused =
        x.size === 0 || isMixedPrecision()
          ? undefined
          : (tryThinConvolution(fast, attributes, [x, filter, bias]) ??
            tryOneDnn(fast, '_MklNativeConv2DWithBias', attributes, [x, filter, bias]));
      if (fused?.[0] !== undefined) return fused[0];
      const product = fast.executeSingleOutput('Conv2D', attributes, [x, filter]);
      const channels = [attribute.float32(binding), attribute.string(binding, 'data_format', 'NHWC')];
      const result = fast.executeSingleOutput('BiasAdd', channels, [product, bias]);
      product.dispose();
      return result;
    },
  };
}
