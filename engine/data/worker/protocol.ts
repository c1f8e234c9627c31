import type { PassKey } from '../dataset/passKey.ts';
import type { StreamCut } from '../loader/streamBatches.ts';
import type { ReaderState } from '../loader/streamState.ts';
import type { WorkerRecipe } from './recipe.ts';
import type { StandInNames } from './standIns.ts';

/** What a worker thread is started with. */
export interface WorkerSetup {
  readonly recipe: WorkerRecipe;
  /** Its number, and how many there are. */
  readonly id: number;
  readonly count: number;
  /** Whether the loader has a collate_fn; then the recipe's does the work if it can, else the loader's own. */
  readonly hasCollate: boolean;
  readonly names: StandInNames;
  /** Where this process keeps compiled sources, if it does. */
  readonly compileCache: string | undefined;
}

export type WorkerRequest =
  /** Read these samples and collate them. */
  | { readonly type: 'read'; readonly id: number; readonly indices: readonly number[]; readonly key: PassKey }
  /** Begin a pass over a stream; `next` then asks for its batches one by one. */
  | { readonly type: 'open'; readonly pass: number; readonly cut: StreamCut }
  | { readonly type: 'next'; readonly id: number; readonly pass: number }
  | { readonly type: 'close'; readonly pass: number }
  /** Finish what is being read and end. */
  | { readonly type: 'stop' };

/** An error on its way from a worker thread. */
export interface WorkerError {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Of the error that came first, so that its own line can be found. */
  readonly stack: string | undefined;
}

/** `stacked`: collated, host tensors in place of tensors; `samples`: still to be collated. */
export interface WorkerBatch {
  readonly kind: 'stacked' | 'samples';
  readonly value: unknown;
  /** Of a stream's batch. */
  readonly index?: number;
  readonly real?: number;
  readonly reader?: ReaderState | undefined;
}

export type WorkerReply =
  | { readonly type: 'ready'; readonly length: number | undefined }
  | { readonly type: 'refused'; readonly error: WorkerError }
  | { readonly type: 'batch'; readonly id: number; readonly batch: WorkerBatch }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'error'; readonly id: number; readonly error: WorkerError };
