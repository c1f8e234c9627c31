import type { Tensor } from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import type { MixedPrecision } from '../../api/launch.ts';
import type { NativeAttribute, NativeBinding, NativeTensor } from '../nativeBinding.ts';
import type { TensorApi } from '../types.ts';
import { attribute, type NativeBackend, nativeBackendOf } from './nativeBackend.ts';

/** TensorFlow's numbers of the types that the binding has no names for (tensorflow/core/framework/types.proto). */
const dataTypes = { fp16: 19, bf16: 14 } as const;

/** The ops that gain from half precision, as in torch.autocast's list: products of matrices and convolutions. */
const castOps = new Set([
  'MatMul',
  'BatchMatMulV2',
  'Conv2D',
  'Conv2DBackpropInput',
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropInput',
  'DepthwiseConv2dNativeBackpropFilter',
]);

/** Two methods of the native backend that the tensor API does not show: handles of tensors, and tensors of handles. */
interface HandleBackend extends NativeBackend {
  getInputTensorIds(tensors: readonly Tensor[]): number[];
  createOutputTensor(metadata: NativeTensor): Tensor;
}

let active: number | undefined;
/** Ops without a kernel of this type in the loaded TensorFlow: they stay float32. */
const refused = new Set<string>();

/**
 * Mixed precision from here on, in this process: matrix products and convolutions, forward and backward, run on inputs
 * rounded to fp16 or bf16; weights, gradients, results and everything else stay float32, as under torch.autocast.
 * TensorFlow.js has no tensors of these types, so results are cast back at once: time is saved, memory is not.
 * @throws EngineError `backend.mixed-precision` on a backend that cannot
 */
export function setMixedPrecision(tf: TensorApi, precision: MixedPrecision): void {
  refused.clear();
  active = undefined;
  if (precision === 'no') return;
  const backend: object | undefined = nativeBackendOf(tf);
  if (backend === undefined || !('getInputTensorIds' in backend) || !('createOutputTensor' in backend)) {
    throw new EngineError(
      'backend.mixed-precision',
      `mixed_precision is ${precision}, but the '${tf.getBackend()}' backend computes in float32 only; native TensorFlow can. Set mixed_precision to no, or see \`accelhydra doctor\` for what native TensorFlow lacks here.`,
      { precision, backend: tf.getBackend() },
    );
  }
  active = dataTypes[precision];
}

export function isMixedPrecision(): boolean {
  return active !== undefined;
}

/** The op in half precision, its result cast back; undefined when that is not wanted or not possible. */
export function tryReduced(
  backend: NativeBackend,
  name: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
): Tensor | undefined {
  if (active === undefined || !castOps.has(name) || refused.has(name)) return undefined;
  if (inputs.some(({ size }) => size === 0)) return undefined;
  const { binding } = backend;
  const half = active;
  const handles: number[] = [];
  const run = (op: string, opAttributes: readonly NativeAttribute[], ids: readonly number[]): NativeTensor => {
    const [output] = binding.executeOp(op, opAttributes, ids, 1);
    if (output === undefined) throw new Error(`Internal error: ${op} gave no output`);
    return output;
  };
  const cast = (id: number, from: number, to: number) => run('Cast', castAttributes(binding, from, to), [id]);
  const own = (tensor: NativeTensor): number => {
    handles.push(tensor.id);
    return tensor.id;
  };
  try {
    const whole = backend as HandleBackend;
    const ids = whole
      .getInputTensorIds(inputs)
      .map((id, i) => (inputs[i]?.dtype === 'float32' ? own(cast(id, binding.TF_FLOAT, half)) : id));
    const typed = attributes.map((item) => (item.name === 'T' ? { ...item, value: half } : item));
    const result = own(run(name, typed, ids));
    return whole.createOutputTensor(cast(result, half, binding.TF_FLOAT));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // shapes that do not fit are the caller's error and will be told by the plain op
    if (/not registered|could not find|no registered|no opkernel|unknown op|unsupported/i.test(reason))
      refused.add(name);
    return undefined;
  } finally {
    for (const id of handles) binding.deleteTensor(id);
  }
}

function castAttributes(binding: NativeBinding, from: number, to: number): NativeAttribute[] {
  const type = (name: string, value: number) => ({ name, type: binding.TF_ATTR_TYPE, value });
  return [type('SrcT', from), type('DstT', to), attribute.bool(binding, 'Truncate', false)];
}
