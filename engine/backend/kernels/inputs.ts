import type { KernelConfig, Tensor } from '@tensorflow/tfjs';

type KernelCall = Parameters<KernelConfig['kernelFunc']>[0];

/** An input that our own callers always give. */
export function tensorInput({ inputs }: KernelCall, name: string): Tensor {
  const value = inputs[name];
  if (isTensor(value)) return value;
  throw new Error(`Internal error: a kernel was called without its input '${name}'`);
}

export function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'rank' in value;
}
