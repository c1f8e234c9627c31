import type { NativeBinding, NativeTensor } from '../nativeBinding.ts';

/** A tensor in JavaScript's memory, which is to stay as it is until the call that it is given to has ended. */
export interface HostValue {
  readonly values: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  /** A `TF_DataType` number. */
  readonly dtype: number;
}

/** What a graph gives: a tensor of the binding's, for the caller to delete, or a value in JavaScript's memory. */
export type RunResult = NativeTensor | HostValue;

/** What a graph is fed with: the handle of a tensor of the binding's, or a value of the host's. */
export type FedValue = number | HostValue;

/** A graph loaded into TensorFlow, ready to run. */
export interface Session {
  /** Whether values still on the host are better given as they are than as handles. */
  readonly takesHostValues: boolean;
  /** `feeds` and `fetches` are `node:output` names joined by commas. */
  run(inputs: readonly FedValue[], feeds: string, fetches: string): RunResult[];
  dispose(): void;
}

/** A result as a tensor of the binding's, the caller's to delete. */
export function nativeResult(binding: NativeBinding, result: RunResult): NativeTensor {
  if ('id' in result) return result;
  const { shape, dtype, values } = result;
  return { id: binding.createTensor(shape, dtype, values), shape: [...shape], dtype };
}

export function deleteResult(binding: NativeBinding, result: RunResult | undefined): void {
  if (result !== undefined && 'id' in result) binding.deleteTensor(result.id);
}
