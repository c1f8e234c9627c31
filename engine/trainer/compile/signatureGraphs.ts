import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import type { Obstacle } from '../../backend/graph/index.ts';
import { withoutStatus } from '../../backend/index.ts';
import type { CompileMode } from '../settingSections.ts';
import { BatchSignatures, sameGlances } from './batchWatch.ts';
import type { CompiledStep } from './compiledStep.ts';
import { GraphCache, type GraphCounts } from './graphCache.ts';
import { sameReads } from './hostWatch.ts';
import { placeOf } from './placeOf.ts';

export interface SignatureGraphsOptions {
  /** What is compiled, in the user's words: `training_step`, `DigitCNN.call`. */
  readonly subject: string;
  /** Code of the error that a refusal is where `mode` is `true`. */
  readonly code: string;
  readonly mode: CompileMode;
  /** Told once why there are no graphs, or no more. */
  readonly say: (text: string, level: 'info' | 'warning') => void;
}

/** Graphs of one piece of the user's code by the form of what it is given, until it shows that it cannot be one. */
export class SignatureGraphs<T extends { readonly step: CompiledStep }> {
  readonly #options: SignatureGraphsOptions | undefined;
  readonly #cache = new GraphCache<T>();
  readonly #signatures = new BatchSignatures();

  #isOff = false;

  /** Without options nothing is said, and nothing is an error. */
  constructor(options?: SignatureGraphsOptions) {
    this.#options = options;
  }

  /** Whether it has ended. */
  get isOff(): boolean {
    return this.#isOff;
  }

  get counts(): GraphCounts {
    return this.#cache.counts;
  }

  restore(counts: GraphCounts): void {
    this.#cache.restore(counts);
  }

  signatureOf(tensors: ReadonlyMap<string, tf.Tensor>): string {
    return this.#signatures.of(tensors);
  }

  find(signature: string, fits: (entry: T) => boolean): T | undefined {
    return this.#cache.find(signature, fits);
  }

  /** False once nearly every call would need a graph of its own, which is said the first time. */
  mayAdd(signature: string): boolean {
    return this.#cache.mayAdd(signature, (text) => this.#options?.say(text, 'warning'));
  }

  /** Unloads those that have to go for it. */
  add(signature: string, entry: T): T {
    for (const { step } of this.#cache.add(signature, entry)) step.dispose();
    return entry;
  }

  /** Ends with a reason, which is said; throws that where graphs were asked for with `true`. */
  giveUp({ reason, at }: Obstacle): undefined {
    this.end();
    if (this.#options === undefined) return undefined;
    const { subject, code, mode, say } = this.#options;
    const place = placeOf(at);
    const text = `${subject} cannot run as one graph: ${reason}${place === undefined ? '' : ` (${place})`}.`;
    if (mode === true)
      throw new EngineError(code, `${text} With compile: auto it runs one operation at a time.`, { reason, place });
    say(`${text} It runs one operation at a time, which is slower.`, 'info');
    return undefined;
  }

  /** Unloads all graphs; there are no others. */
  end(): void {
    this.#isOff = true;
    this.clear();
  }

  /** Unloads all graphs. */
  clear(): void {
    for (const { step } of this.#cache.clear()) step.dispose();
  }
}

/** Whether the host has what a graph was recorded with: in the batch, and in the fields that were read. */
export function sameHost(batch: unknown, { trace }: CompiledStep): boolean {
  return sameGlances(batch, trace.glances) && sameReads(trace.reads);
}

export function failedGraph(what: string, error: unknown): Obstacle {
  return { reason: `${what} failed where single operations did not (${messageOf(error)})`, at: undefined };
}

export function refusedGraph(error: unknown): Obstacle {
  return { reason: `TensorFlow does not take its graph (${messageOf(error)})`, at: undefined };
}

export function messageOf(error: unknown): string {
  return withoutStatus(error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
