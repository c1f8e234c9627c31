import type { Tensor } from '@tensorflow/tfjs';
import type { NativeAttribute } from '../nativeBinding.ts';
import { tryReduced } from './autocast.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';

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

/** The label under which TensorFlow registers these kernels. */
const kernelLabel = 'MklNameChangeOp';

const missing = new Set<string>();
let plainDepth = 0;

/**
 * Runs `work` with TensorFlow's plain ops only. A graph that is recorded from them can still be fused, and gets the
 * oneDNN kernels from TensorFlow's own optimiser.
 */
export function withPlainKernels<T>(work: () => T): T {
  plainDepth++;
  try {
    return work();
  } finally {
    plainDepth--;
  }
}

/**
 * Tries the oneDNN kernel `name`; undefined when it is not in this build of TensorFlow, refuses these inputs, or plain ops
 * are wanted. A kernel that is not there is not asked for again.
 */
export function tryOneDnn(
  backend: NativeBackend,
  name: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
  outputs = 1,
  label = kernelLabel,
): Tensor[] | undefined {
  const { binding } = backend;
  if (plainDepth > 0 || missing.has(name) || binding.isUsingGpuDevice()) return undefined;
  try {
    const labelled = label === '' ? attributes : [...attributes, attribute.string(binding, '_kernel', label)];
    return backend.executeMultipleOutputs(name, labelled, inputs, outputs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // "Could not find device for node", "Op type not registered": neither will change in this process
    if (/not registered|could not find|no registered|no opkernel|unknown op/i.test(reason)) missing.add(name);
    return undefined;
  }
}

/** For tests: as if this build of TensorFlow had no oneDNN kernel of that name, or had it again. */
export function pretendMissing(name: string, isMissing: boolean): void {
  if (isMissing) missing.add(name);
  else missing.delete(name);
}

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
  if (name === 'MaxPool') return maxPool(backend, attributes, inputs, false);
  if (name === 'MaxPoolGrad') return maxPoolGradient(backend, attributes, inputs);
  const twin = twins[name];
  return twin === undefined ? undefined : tryOneDnn(backend, twin, attributes, inputs);
}

/** [output, workspace]: the workspace says where each maximum was found, which the gradient needs. */
function maxPool(
  backend: NativeBackend,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
  keepsWorkspace: boolean,
): Tensor[] | undefined {
  const found = tryOneDnn(backend, '_MklNativeMaxPool', attributes, inputs, 2);
  if (!keepsWorkspace) found?.[1]?.dispose();
  return found;
}

// The tape of TensorFlow.js keeps one output of a pooling: running it again for the workspace costs far less than the
// plain gradient does.
function maxPoolGradient(
  backend: NativeBackend,
  attributes: readonly NativeAttribute[],
  [input, , slope]: readonly Tensor[],
): Tensor[] | undefined {
  if (input === undefined || slope === undefined) return undefined;
  const again = maxPool(backend, attributes, [input], true);
  const [output, workspace] = again ?? [];
  if (output === undefined || workspace === undefined) return undefined;
  const result = tryOneDnn(backend, '_MklNativeMaxPoolGrad', attributes, [input, output, slope, workspace]);
  for (const tensor of [output, workspace]) tensor.dispose();
  return result;
}
