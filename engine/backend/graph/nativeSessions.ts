import type { FedValue, HostValue } from './session.ts';

/** A tensor that the library of our own keeps until AccelHydraUnstash takes it by its key. */
export interface KeptTensor {
  readonly key: number;
  readonly dtype: number;
  readonly shape: number[];
}

export type SessionOutput = KeptTensor | HostValue;

/**
 * Sessions of `engine/backend/native/sessionModule.cc`. A number among the inputs is a key that AccelHydraStash gave. Each
 * throws with TensorFlow's message.
 */
export interface NativeSessions {
  open(graph: Uint8Array): object;
  callable(session: object, feeds: readonly string[], fetches: readonly string[]): number;
  /** Short runs that may wait while another one runs. */
  readonly shortRunsWaiting: number;
  /** The number of the run; 0 where an earlier one has failed. What it fetches is kept for `outputs` if `keeps` says so. */
  start(session: object, callable: number, inputs: readonly FedValue[], keeps: boolean): number;
  /**
   * What a run gave, once: a few numbers as they are, more under a key. Undefined as long as it has not ended, empty where it
   * failed or was not run. What runs before it gave is forgotten.
   */
  outputs(ticket: number): SessionOutput[] | undefined;
  /** As `outputs`. Undefined where an earlier run has failed. */
  run(session: object, callable: number, inputs: readonly FedValue[]): SessionOutput[] | undefined;
  failure(session: object): { ticket: number; message: string; inputs: KeptTensor[] } | undefined;
  close(session: object): void;
  /** Ends the thread after the run that it is at. */
  end(): void;
}
