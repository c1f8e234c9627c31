import * as tf from '@tensorflow/tfjs';
import { Mismatch, type Obstacle } from '../../backend/graph/index.ts';
import type { LoadedBatch } from '../../data/index.ts';
import type { TrainerSubject } from '../hooks.ts';
import { batchTensors } from './batchWatch.ts';
import { impureDifference, impureWork } from './compareTraces.ts';
import { CompiledStep } from './compiledStep.ts';
import type { HostRoot } from './hostWatch.ts';
import type { TensorBackend } from './nativeTensors.ts';
import { needsHost } from './needsHost.ts';
import { onAnother } from './rolledBatch.ts';
import { failedGraph, refusedGraph, SignatureGraphs, sameHost } from './signatureGraphs.ts';
import { replayStep } from './stepReplay.ts';
import { type StepTrace, type TraceSink, traceStep } from './stepTrace.ts';

export interface ValidationCompilerOptions {
  readonly backend: TensorBackend;
  readonly owners: readonly HostRoot[];
  readonly opaque: ReadonlySet<unknown>;
  readonly watch: (sink: TraceSink | undefined) => void;
}

/** What a validation step accumulated: means over its samples, the caller's to dispose. */
export type Accumulated = readonly {
  readonly name: string;
  readonly mean: tf.Tensor;
  readonly count: number | undefined;
}[];

/** Below this many batches in a pass, recording costs more than it saves. */
const leastBatches = 8;

/**
 * Runs validation steps that do nothing but compute and `accumulate` as graphs. The first batch of each pass is always run
 * one operation at a time, so that the same batches are graphs after a resume. All others stay as they are, unsaid:
 * a step may well keep outputs or write pictures.
 */
export class ValidationCompiler {
  readonly #subject: TrainerSubject;
  readonly #options: ValidationCompilerOptions;
  readonly #graphs = new SignatureGraphs<{ readonly step: CompiledStep }>();
  /** Whether the step can be no graph as far as its text and its first run tell. */
  #isRuledOut: boolean;

  constructor(subject: TrainerSubject, options: ValidationCompilerOptions) {
    this.#subject = subject;
    this.#options = options;
    const { validation_step: step, val_dataloader: loader } = subject;
    const { rank, worldSize } = subject.environment.collective;
    const length = loader?.passLength({ rank, worldSize, mode: 'exact' }) ?? 0;
    this.#isRuledOut = length < leastBatches || step.constructor.name === 'AsyncFunction' || needsHost(step);
  }

  /** Undefined when the step is to run one operation at a time. */
  run({ batch, index }: LoadedBatch): Accumulated | undefined {
    if (this.#isRuledOut || this.#graphs.isOff || index === 0) return undefined;
    const tensors = batchTensors(batch);
    const signature = this.#graphs.signatureOf(tensors);
    let step = this.#graphs.find(signature, (found) => sameHost(batch, found.step))?.step;
    // what a hook changed where no field shows it
    if (step !== undefined && index === 1 && !this.#fits(step, batch, tensors)) {
      this.dispose();
      step = undefined;
    }
    step ??= this.#compile(signature, batch, tensors);
    if (step === undefined) return undefined;
    const { logged } = step.trace;
    const names = [...logged.keys()];
    const means = this.#runGraph(step, tensors, names);
    if (means === undefined) return undefined;
    return names.flatMap((name, i) => {
      const mean = means[i];
      return mean === undefined ? [] : [{ name, mean, count: logged.get(name)?.count }];
    });
  }

  #runGraph(
    step: CompiledStep,
    batch: ReadonlyMap<string, tf.Tensor>,
    names: readonly string[],
  ): readonly tf.Tensor[] | undefined {
    try {
      const outputs = names.map((name) => `log:${name}`);
      return step.run('forward', { batch }, outputs, false);
    } catch (error) {
      // an error of the step's comes with its own stack when it runs one operation at a time
      return this.#graphs.giveUp(failedGraph('the graph', error));
    }
  }

  /** The step ran one operation at a time: one that is to be waited for cannot be rehearsed. */
  ranEagerly(result: unknown): void {
    if (result instanceof Promise) this.#isRuledOut = true;
  }

  dispose(): void {
    this.#graphs.clear();
  }

  #fits(step: CompiledStep, batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>): boolean {
    const { trace } = step;
    const run = () => this.#subject.validation_step(batch, 1);
    return !(replayStep({ ...this.#options, trace, varying: new Set(), tensors, run }) instanceof Mismatch);
  }

  #compile(signature: string, batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>): CompiledStep | undefined {
    if (!this.#graphs.mayAdd(signature)) return undefined;
    const first = onAnother(batch, (other, otherTensors) => this.#rehearse(other, otherTensors));
    const obstacle = obstacleOf(first);
    if (obstacle !== undefined) return this.#graphs.giveUp(obstacle);
    const trace = this.#rehearse(batch, tensors);
    const difference = obstacleOf(trace) ?? impureDifference(first, trace);
    if (difference !== undefined) return this.#graphs.giveUp(difference);
    try {
      const { backend } = this.#options;
      const xla = this.#subject.settings.compile_xla;
      const step = new CompiledStep({ backend, trace, xla, parts: ['forward'], holdsState: false, varying: new Set() });
      return this.#graphs.add(signature, { step }).step;
    } catch (error) {
      return this.#graphs.giveUp(refusedGraph(error));
    }
  }

  #rehearse(batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>): StepTrace {
    return traceStep({
      ...this.#options,
      batch,
      tensors,
      resources: [],
      ahead: 0,
      run: (seen, forwardDone) => {
        void this.#subject.validation_step(seen, 1);
        forwardDone();
        return { loss: tf.scalar(0), gradients: new Map() };
      },
    });
  }
}

/** Why a recorded step does more than computing. */
function obstacleOf(trace: StepTrace): Obstacle | undefined {
  return (
    impureWork(trace) ?? (trace.logged.size === 0 ? { reason: 'it accumulates nothing', at: undefined } : undefined)
  );
}
