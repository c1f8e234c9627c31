import * as tf from '@tensorflow/tfjs';
import type { LoadedBatch } from '../../data/index.ts';
import type { TrainerSubject } from '../hooks.ts';
import { BatchSignatures, batchTensors, sameGlances } from './batchWatch.ts';
import { compareTraces } from './compareTraces.ts';
import { CompiledStep } from './compiledStep.ts';
import { GraphCache } from './graphCache.ts';
import { type HostRoot, sameReads } from './hostWatch.ts';
import type { TensorBackend } from './nativeTensors.ts';
import { needsHost } from './needsHost.ts';
import { onAnother } from './rolledBatch.ts';
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
  readonly #cache = new GraphCache<CompiledStep>();
  readonly #signatures = new BatchSignatures();
  #isOff: boolean;

  constructor(subject: TrainerSubject, options: ValidationCompilerOptions) {
    this.#subject = subject;
    this.#options = options;
    const { validation_step: step, val_dataloader: loader } = subject;
    const { rank, worldSize } = subject.environment.collective;
    const length = loader?.passLength({ rank, worldSize, mode: 'exact' }) ?? 0;
    this.#isOff = length < leastBatches || step.constructor.name === 'AsyncFunction' || needsHost(step);
  }

  /** Undefined when the step is to run one operation at a time. */
  run({ batch, index }: LoadedBatch): Accumulated | undefined {
    if (this.#isOff || index === 0) return undefined;
    const tensors = batchTensors(batch);
    const signature = this.#signatures.of(tensors);
    let step = this.#cache.find(signature, ({ trace }) => sameGlances(batch, trace.glances) && sameReads(trace.reads));
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
    } catch {
      // an error of the step's comes with its own stack when it runs one operation at a time
      return this.#turnOff();
    }
  }

  /** The step ran one operation at a time: one that is to be waited for cannot be rehearsed. */
  ranEagerly(result: unknown): void {
    if (result instanceof Promise) this.#isOff = true;
  }

  dispose(): void {
    for (const step of this.#cache.clear()) step.dispose();
  }

  #fits(step: CompiledStep, batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>): boolean {
    const { trace } = step;
    const run = () => this.#subject.validation_step(batch, 1);
    return replayStep({ ...this.#options, trace, varying: new Set(), tensors, run }) !== undefined;
  }

  #compile(signature: string, batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>): CompiledStep | undefined {
    if (!this.#cache.mayAdd(signature, () => undefined)) return undefined;
    const first = onAnother(batch, (other, otherTensors) => this.#rehearse(other, otherTensors));
    const trace = first === undefined ? undefined : this.#rehearse(batch, tensors);
    if (first === undefined || trace === undefined) return this.#turnOff();
    const { obstacle, varying } = compareTraces(first, trace);
    if (obstacle !== undefined || varying.size > 0) return this.#turnOff();
    try {
      const { backend } = this.#options;
      const xla = this.#subject.settings.compile_xla;
      const step = new CompiledStep({ backend, trace, xla, parts: ['forward'], holdsState: false, varying });
      for (const old of this.#cache.add(signature, step)) old.dispose();
      return step;
    } catch {
      return this.#turnOff();
    }
  }

  /** Undefined for a step that does more than computing. */
  #rehearse(batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>): StepTrace | undefined {
    const trace = traceStep({
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
    const isPlain = trace.obstacle === undefined && trace.hostWork === undefined && trace.changes.size === 0;
    return isPlain && trace.logged.size > 0 ? trace : undefined;
  }

  #turnOff(): undefined {
    this.#isOff = true;
    this.dispose();
    return undefined;
  }
}
