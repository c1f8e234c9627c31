import * as tf from '@tensorflow/tfjs';
import { LateFailure, type Obstacle } from '../../backend/graph/index.ts';
import { batchTensors, withTensors } from './batchWatch.ts';
import type { Compiled } from './compiled.ts';
import type { CompiledStep, PartName } from './compiledStep.ts';
import type { StepFeed } from './fedPart.ts';
import { failedGraph } from './signatureGraphs.ts';
import type { StepRecorder } from './stepRecorder.ts';
import type { Replayed } from './stepReplay.ts';
import type { StepRequest } from './stepRequest.ts';
import { sumKey } from './stepTrace.ts';

/** A graph for a request, and what the step's JavaScript did for it. */
export interface Prepared {
  readonly request: StepRequest;
  readonly compiled: Compiled;
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  readonly replayed: Replayed | undefined;
}

export interface StepRunsOptions {
  readonly recorder: Pick<StepRecorder, 'trace'>;
  /** Whether gradients of several micro-steps are added up. */
  readonly accumulates: boolean;
  /** Told of a graph that failed where single operations do not; may throw. */
  readonly failed: (obstacle: Obstacle) => undefined;
}

/** Runs graphs of steps, and finds out whose fault it is when one fails. */
export class StepRuns {
  readonly #options: StepRunsOptions;
  /** The graph whose steps may still be running. */
  #newest: CompiledStep | undefined;

  constructor(options: StepRunsOptions) {
    this.#options = options;
  }

  /** Gives the tensors asked for; undefined where the step is to run eagerly. Throws what the step throws. */
  run(prepared: Prepared, part: PartName, names: readonly string[], updates: boolean): tf.Tensor[] | undefined {
    const needsSums = this.#options.accumulates && (part === 'whole' || names.includes('flat'));
    const { compiled } = prepared;
    const outputs = this.#attempt(prepared, needsSums, (feed) => compiled.step.run(part, feed, names, updates));
    if (part === 'whole' && updates && outputs !== undefined) compiled.isProven = true;
    return outputs;
  }

  /** The whole step, not waited for; gives the number that it is known by. Otherwise as `run`. */
  start(prepared: Prepared, names: readonly string[]): number | undefined {
    const { step } = prepared.compiled;
    const ticket = this.#attempt(prepared, this.#options.accumulates, (feed) => step.start('whole', feed, names));
    // not before: another graph's steps end, or fail, while the state passes from that one to this
    this.#newest = step;
    return ticket;
  }

  /** Waits for all steps that were started. Throws `LateFailure`. */
  settle(): void {
    this.#newest?.settle();
  }

  /**
   * Does a step that failed after it was started once more, one operation at a time and without effect, with what it was fed:
   * an error of the user's comes with its own stack.
   */
  rehearse(failure: LateFailure, request: StepRequest): void {
    const tensors = this.#newest?.batchOf('whole', failure) ?? new Map<string, tf.Tensor>();
    try {
      const batch = withTensors(request.batch, (path, before) => {
        // what the graph is not fed with no operation of the step asks for
        const tensor = tensors.get(path) ?? tf.zeros(before.shape, before.dtype);
        tensors.set(path, tensor);
        return tensor;
      });
      this.#options.recorder.trace({ ...request, batch }, batchTensors(batch));
    } finally {
      for (const tensor of tensors.values()) tensor.dispose();
    }
  }

  /** Waits as well, but whether they failed is no matter any more. */
  forget(): void {
    try {
      this.settle();
    } catch (error) {
      if (!(error instanceof LateFailure)) return;
      for (const tensor of this.#newest?.batchOf('whole', error).values() ?? []) tensor.dispose();
    }
  }

  #attempt<T>(prepared: Prepared, needsSums: boolean, work: (feed: StepFeed) => T): T | undefined {
    const { compiled, tensors: batch, replayed, request } = prepared;
    const zeros = needsSums || request.sums.size > 0 ? zerosFor(compiled.parameters, request.sums) : undefined;
    const tensors = zeros && new Map([...zeros, ...request.sums].map(([name, sum]) => [sumKey(name), sum]));
    try {
      return work({ batch, values: replayed?.values, ...(tensors && { tensors }) });
    } catch (error) {
      // of an earlier step
      if (error instanceof LateFailure) throw error;
      // the step once more, one operation at a time and without effect: an error of the user's comes with its own stack
      this.#options.recorder.trace(request, batch);
      return this.#options.failed(failedGraph('the graph', error));
    } finally {
      for (const tensor of zeros?.values() ?? []) tensor.dispose();
    }
  }
}

/** Sums of parameters that have none yet. */
function zerosFor(
  parameters: ReadonlyMap<string, tf.Tensor>,
  sums: ReadonlyMap<string, tf.Tensor>,
): ReadonlyMap<string, tf.Tensor> {
  const missing = [...parameters].filter(([name]) => !sums.has(name));
  return new Map(missing.map(([name, { shape }]) => [name, tf.zeros(shape)]));
}
