import type { KernelConfig, Tensor } from '@tensorflow/tfjs';
import { attribute, type NativeBackend } from './nativeBackend.ts';

/** Two matrices go to MatMul, which TensorFlow can fuse in a graph; stacks of them to BatchMatMulV2, as before. */
export function matMul(fast: NativeBackend, plain: KernelConfig['kernelFunc']): KernelConfig['kernelFunc'] {
  return (call) => {
    const { a, b } = call.inputs;
    const { transposeA, transposeB } = call.attrs ?? {};
    if (!isMatrix(a) || !isMatrix(b)) return plain({ ...call, backend: fast });
    const { binding } = fast;
    return fast.executeSingleOutput(
      'MatMul',
      [
        attribute.float32(binding),
        attribute.bool(binding, 'transpose_a', transposeA === true),
        attribute.bool(binding, 'transpose_b', transposeB === true),
      ],
      [a, b],
    );
  };
}

function isMatrix(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null || !('rank' in value) || !('dtype' in value)) return false;
  return value.rank === 2 && value.dtype === 'float32';
}
