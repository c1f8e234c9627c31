import type { FedValue, HostValue } from './session.ts';

/** A tensor that the library of our own keeps until AccelHydraUnstash takes it by its key. */
export interface KeptTensor {
  readonly key: number;
  readonly dtype: number;
  readonly shape: number[];
}

/**
 * Sessions of `engine/backend/native/sessionModule.cc`. A number among the inputs is a key that AccelHydraStash gave. Each
 * throws with TensorFlow's message.
 */
export interface NativeSessions {
  open(graph: Uint8Array): object;
  callable(session: object, feeds: readonly string[], fetches: readonly string[]): number;
  /** The number of the run; 0 where an earlier one has failed. */
  start(session: object, callable: number, inputs: readonly FedValue[]): number;
  /** A few numbers come as they are, more are kept. Undefined where an earlier run has failed. */
  run(session: object, callable: number, inputs: readonly FedValue[]): (KeptTensor | HostValue)[] | undefined;
  failure(session: object): { ticket: number; message: string; inputs: KeptTensor[] } | undefined;
  close(session: object): void;
  /** Ends the thread after the run that it is at. */
  end(): void;
}
