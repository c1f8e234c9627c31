import type * as tf from '@tensorflow/tfjs';
import type { Random } from '../../base/random.ts';
import type { LossScaler, WeightAverage } from '../../optim/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import type { StepExecutor, StepResult } from '../loop/eagerStep.ts';
import type { NamedVariable } from '../model/module.ts';
import type { OptimizerLike } from '../ports.ts';
import type { CompileMode } from '../settingSections.ts';
import type { CompileListener } from './compileListener.ts';
import type { HostRoot } from './hostWatch.ts';
import type { TraceSink } from './stepTrace.ts';

/**
 * `whole`: nothing but the trainer's own code stands between gradients and weights, so that all of it is one run.
 * `cut`: gradients are looked at before they are used. `flat`: they are exchanged between ranks, as one vector.
 * `gradients`: the update is not ours to record.
 */
export type UpdateForm = 'whole' | 'cut' | 'flat' | 'gradients';

export interface StepCompilerOptions {
  readonly mode: CompileMode;
  /** Whether XLA compiles the graphs' clusters: trainer.compile_xla. */
  readonly xla: boolean;
  /** Runs the step that is recorded. */
  readonly eager: StepExecutor;
  readonly parameters: readonly NamedVariable[];
  readonly optimizer: OptimizerLike;
  readonly average: WeightAverage | undefined;
  readonly form: UpdateForm;
  /** Micro-batches in an optimizer step. */
  readonly divisor: number;
  /** Whether gradients of several micro-steps are added up. */
  readonly accumulates: boolean;
  /** With fp16: what the loss is multiplied by. */
  readonly scaler: LossScaler | undefined;
  /** Objects whose fields the step may work with. */
  readonly owners: readonly HostRoot[];
  /** Objects among them that are not looked into. */
  readonly opaque: ReadonlySet<unknown>;
  /** The trainer's random numbers, which a rehearsal must not use up. */
  readonly random: Random;
  readonly trainingStep: (batch: never, index: number) => tf.Tensor;
  /** The method as it is written. */
  readonly trainingStepText: (...parameters: never[]) => unknown;
  /** Begins the noise of a step other than the current one, or of the current one again. */
  readonly beginNoise: (ahead: number) => void;
  readonly watch: (sink: TraceSink | undefined) => void;
  readonly log: (values: Readonly<Record<string, MetricValue>>) => void;
  readonly say: (text: string, level: 'info' | 'warning') => void;
  readonly listener: CompileListener | undefined;
  /** Clips and measures, as the updater does; gives new tensors. */
  readonly clip: (gradients: ReadonlyMap<string, tf.Tensor>) => {
    readonly gradients: ReadonlyMap<string, tf.Tensor>;
    readonly norm: tf.Scalar | undefined;
  };
}

export interface StepRequest {
  readonly batch: unknown;
  readonly index: number;
  readonly wantsNorm: boolean;
  /** Whether what the step logs is wanted, its loss too. */
  readonly isLogging: boolean;
  /** Gradients of earlier micro-steps by parameter, none before the first. They stay the caller's. */
  readonly sums: ReadonlyMap<string, tf.Tensor>;
  /** Whether the accumulation ends with this step. */
  readonly isLast: boolean;
}

/** A whole step that was run as a graph, the update included. */
export interface FusedResult {
  /** Only where what the step logs is wanted. */
  readonly loss: tf.Scalar | undefined;
  readonly gradNorm: tf.Scalar | undefined;
}

/** A whole step that was started and not waited for. */
export interface StartedStep {
  /** By what number its failure would be known. */
  readonly ticket: number;
  /**
   * Takes what was asked for, once, and for one step after the other; undefined as long as the step has not ended. Absent
   * where nothing was.
   */
  readonly takeNumbers: (() => StepNumbers | undefined) | undefined;
}

/** What a step was asked for. Nothing where it failed, or one before it. */
export interface StepNumbers {
  readonly loss: number | undefined;
  readonly gradNorm: number | undefined;
  /** By key; tensors are the taker's to dispose. */
  readonly logged: ReadonlyMap<string, MetricValue>;
}

/** The update that belongs to gradients that the compiler gave. Each method is undefined or false when it failed. */
export interface CompiledUpdate {
  /** Parameters that there are gradients of, in the order of the vector. */
  readonly names: readonly string[];
  /** Whether it works with one vector of all gradients. */
  readonly isFlat: boolean;
  /** The norm of the gradients before clipping. */
  norm(gradients: GivenGradients): tf.Scalar | undefined;
  /** Clips, steps the optimizer, updates averages. */
  step(gradients: GivenGradients): boolean;
}

/** By parameter, or one vector. */
export type GivenGradients = ReadonlyMap<string, tf.Tensor> | tf.Tensor;

export interface CompiledGradients extends StepResult {
  /** What is to follow at the end of an accumulation; undefined where the update is not compiled. */
  readonly update: CompiledUpdate | undefined;
}

/** How steps run; a resumed training goes on the same way. `host`: the step's JavaScript runs beside its graph. */
export type StepMode = 'graph' | 'host' | 'eager';
