import type * as tensorflow from '@tensorflow/tfjs';

/** The tensor API: whichever backend runs, project code sees these functions and no others. */
export type TensorApi = typeof tensorflow;

export const backendNames = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type BackendName = (typeof backendNames)[number];

export interface BackendRequest {
  /**
   * `auto` takes the first that works of: native TensorFlow, WebGPU on a real GPU, WebAssembly, plain JavaScript. When
   * absent, ACCELHYDRA_BACKEND decides, else it is `auto`.
   */
  readonly backend?: BackendName | 'auto';
  /** Passes over WebGPU, whose tensors live on a GPU; native TensorFlow follows CUDA_VISIBLE_DEVICES. */
  readonly cpuOnly?: boolean;
  /** Threads for one operation (native TensorFlow only). Must be chosen before the first load in a process. */
  readonly threads?: number;
  /** Threads that run independent operations side by side (native TensorFlow only). */
  readonly interOpThreads?: number;
}

export interface LoadedBackend {
  readonly tf: TensorApi;
  readonly name: BackendName;
  /** One line for a person, e.g. `TensorFlow 2.21.0 (native) on 2 CPU cores`. */
  readonly description: string;
  /** Whether tensors live on a GPU. */
  readonly gpu: boolean;
  /** Version of the native library; absent on every other backend. */
  readonly tensorflowVersion?: string;
  /** Threads for one operation, where the backend lets us choose. */
  readonly threads?: number;
  /** Why each backend tried before this one was not taken; empty when the first choice worked. */
  readonly passedOver: readonly { readonly name: BackendName; readonly reason: string }[];
}
