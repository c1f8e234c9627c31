import type { KernelConfig, Tensor, TensorInfo } from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorApi } from './types.ts';

const Attributes = z.object({
  strides: z.union([z.number(), z.tuple([z.number(), z.number()])]),
  pad: z.union([z.enum(['valid', 'same']), z.number(), z.custom<[number, number][]>(Array.isArray)]),
  dataFormat: z.literal('NHWC'),
  filterShape: z.tuple([z.number(), z.number(), z.number(), z.number()]),
});

/**
 * The gradient of a convolution by its filter [height, width, in, out], made of operations that the backend has: for each
 * place of the filter, the pixels it saw (one matrix) times the gradient of the output (another).
 */
export function conv2dFilterGradient(tf: TensorApi, backendName: string): KernelConfig {
  return {
    kernelName: 'Conv2DBackpropFilter',
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { strides, pad, filterShape } = Attributes.parse(attrs);
      const x = tensorOf(tf, inputs.x);
      const dy = tensorOf(tf, inputs.dy);
      const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
      const shape: [number, number, number, number] = [batch, height, width, channels];
      const info = tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, padOf(pad));
      const { top, bottom, left, right } = info.padInfo;
      return tf.tidy(() => {
        const padded = tf.pad(x, [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ]);
        const gradient = dy.reshape([-1, info.outChannels]);
        const parts: Tensor[] = [];
        for (let row = 0; row < info.filterHeight; row++) {
          for (let column = 0; column < info.filterWidth; column++) {
            const end = [
              batch,
              row + (info.outHeight - 1) * info.strideHeight + 1,
              column + (info.outWidth - 1) * info.strideWidth + 1,
              channels,
            ];
            const steps = [1, info.strideHeight, info.strideWidth, 1];
            const seen = tf.stridedSlice(padded, [0, row, column, 0], end, steps).reshape([-1, channels]);
            parts.push(tf.matMul(seen, gradient, true, false));
          }
        }
        return tf.stack(parts).reshape(filterShape);
      });
    },
  };
}

type Padding = Parameters<TensorApi['backend_util']['computeConv2DInfo']>[4];

function padOf(pad: z.infer<typeof Attributes>['pad']): Padding {
  return pad as Padding;
}

function tensorOf(tf: TensorApi, info: TensorInfo | TensorInfo[] | undefined): Tensor {
  if (info instanceof tf.Tensor) return info;
  throw new Error('Internal error: the gradient of a convolution without its tensors');
}
