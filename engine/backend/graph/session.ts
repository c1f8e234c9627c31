import type { NativeTensor } from '../nativeBinding.ts';

/** A tensor in JavaScript's memory, which is to stay as it is until the call that it is given to has ended. */
export interface HostValue {
  readonly values: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  /** A `TF_DataType` number. */
  readonly dtype: number;
}

/** What a graph is fed with: the handle of a tensor of the binding's, or a value of the host's. */
export type FedValue = number | HostValue;

/** A graph loaded into TensorFlow, ready to run. */
export interface Session {
  /** Whether values still on the host are better given as they are than as handles. */
  readonly takesHostValues: boolean;
  /** `feeds` and `fetches` are `node:output` names joined by commas; results are handles, the caller's to delete. */
  run(inputs: readonly FedValue[], feeds: string, fetches: string): NativeTensor[];
  dispose(): void;
}
