import type { Tensor } from '@tensorflow/tfjs';
import type { NativeAttribute } from '../nativeBinding.ts';
import { tryReduced } from './autocast.ts';
import { maxPool, maxPoolGradient } from './maxPool.ts';
import type { NativeBackend } from './nativeBackend.ts';
import { tryOneDnn } from './optional.ts';
import { tryThinConvolution, tryThinFilterGradient } from './thinConvolution.ts';

/**
 * TensorFlow ops whose oneDNN kernel takes the same inputs and attributes. TensorFlow puts these in place by itself when
 * it optimises a graph, but not for ops called one by one, where the plain kernels are 2 to 10 times slower on a CPU.
 */
const twins: Readonly<Record<string, string>> = {
  Conv2D: '_MklNativeConv2D',
  Conv2DBackpropFilter: '_MklNativeConv2DBackpropFilter',
  Conv2DBackpropInput: '_MklNativeConv2DBackpropInput',
  DepthwiseConv2dNative: '_MklNativeDepthwiseConv2dNative',
  DepthwiseConv2dNativeBackpropFilter: '_MklNativeDepthwiseConv2dNativeBackpropFilter',
  DepthwiseConv2dNativeBackpropInput: '_MklNativeDepthwiseConv2dNativeBackpropInput',
  AvgPool: '_MklNativeAvgPool',
  AvgPoolGrad: '_MklNativeAvgPoolGrad',
  BatchMatMulV2: '_MklBatchMatMulV2',
  MatMul: '_MklMatMul',
  Softmax: '_MklSoftmax',
  Transpose: '_MklTranspose',
  FusedBatchNormV3: '_MklNativeFusedBatchNormV3',
  FusedBatchNormGradV3: '_MklNativeFusedBatchNormGradV3',
};

type Attempt = (
  backend: NativeBackend,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
) => Tensor[] | undefined;

/** What comes before a twin, where shapes and attributes allow it. */
const byMoreThanName: Readonly<Record<string, Attempt>> = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGradient,
  Conv2D: tryThinConvolution,
  Conv2DBackpropFilter: tryThinFilterGradient,
};

/** The native backend with oneDNN kernels in place of plain ones wherever they can stand in. */
export function preferOneDnn(backend: NativeBackend): NativeBackend {
  const executeSingleOutput = (name: string, attributes: readonly NativeAttribute[], inputs: readonly Tensor[]) => {
    const reduced = tryReduced(backend, name, attributes, inputs);
    if (reduced !== undefined) return reduced;
    const first = (found: Tensor[] | undefined) => found?.[0];
    const result = isFloat32(backend, attributes) ? first(redirected(backend, name, attributes, inputs)) : undefined;
    return result ?? backend.executeSingleOutput(name, attributes, inputs);
  };
  return Object.create(backend, { executeSingleOutput: { value: executeSingleOutput } });
}

function isFloat32({ binding }: NativeBackend, attributes: readonly NativeAttribute[]): boolean {
  return attributes.some(({ name, value }) => name === 'T' && value === binding.TF_FLOAT);
}

function redirected(
  backend: NativeBackend,
  name: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
): Tensor[] | undefined {
  // an empty batch is no work for oneDNN
  if (inputs.some(({ size }) => size === 0)) return undefined;
  const found = byMoreThanName[name]?.(backend, attributes, inputs);
  if (found !== undefined) return found;
  const twin = twins[name];
  return twin === undefined ? undefined : tryOneDnn(backend, twin, attributes, inputs);
}
