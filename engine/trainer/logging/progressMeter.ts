import type { Progress, Reporter, StepForm, TrainPhase } from '../../api/training.ts';
import type { Clock } from '../../base/clock.ts';

export interface ProgressMeterOptions {
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly isActive: boolean;
  readonly reportEveryMs?: number;
}

/** Where the training stands, as the meter's owner sees it. */
export interface Position {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly epochLength: number;
  readonly epochStart: number;
  readonly steps?: StepForm | undefined;
}

/** How far back the speed looks: long enough to be steady, short enough to follow a change. */
const averageOverMs = 5000;

/** Speed, time left and the reports of both. */
export class ProgressMeter {
  readonly #options: ProgressMeterOptions;
  readonly #reportEveryMs: number;
  #phase: TrainPhase = 'starting';
  #lastReport = Number.NEGATIVE_INFINITY;
  /** Up to when steps are in the sums below. */
  #lastStep: number | undefined;
  // Steps since then, and their samples.
  #newSteps = 0;
  #newSamples = 0;
  #isWarm = false;
  // Sums that fade. Averaging each step's own time by its length would let one slow step count for a hundred fast ones.
  #steps = 0;
  #ms = 0;
  #samples = 0;
  #overheadMs = 0;
  #loss: number | undefined;

  constructor(options: ProgressMeterOptions) {
    this.#options = options;
    this.#reportEveryMs = options.reportEveryMs ?? 250;
  }

  get loss(): number | undefined {
    return this.#loss;
  }

  noteLoss(loss: number): void {
    this.#loss = loss;
  }

  /** A training step ended that had `samples` samples over all ranks. Only counted: short steps are many. */
  stepped(samples: number): void {
    if (this.#isWarm) {
      this.#newSteps++;
      this.#newSamples += samples;
      return;
    }
    // The first step of a process makes the graph and starts the loader's threads: it says nothing of those that follow.
    this.#isWarm = true;
    this.#lastStep = this.#options.clock.now();
  }

  /** Takes in the steps since the last call; to be called several times a second. Where that was is asked when reported. */
  tick(position: () => Position): void {
    const now = this.#options.clock.now();
    this.#takeIn(now);
    if (now - this.#lastReport >= this.#reportEveryMs) this.#report(position(), now);
  }

  #takeIn(now: number): void {
    if (this.#newSteps === 0) return;
    if (this.#lastStep !== undefined) {
      const elapsed = Math.max(0, now - this.#lastStep);
      const kept = Math.exp(-elapsed / averageOverMs);
      this.#steps = this.#steps * kept + this.#newSteps;
      this.#ms = this.#ms * kept + elapsed;
      this.#samples = this.#samples * kept + this.#newSamples;
    }
    this.#lastStep = now;
    this.#newSteps = 0;
    this.#newSamples = 0;
  }

  /** Another kind of work begins; its time is not a step's. Always reported. */
  enter(phase: TrainPhase, position: Position): void {
    const now = this.#options.clock.now();
    this.#takeIn(now);
    if (phase === 'training' && this.#phase !== 'training') this.#lastStep = now;
    else if (phase !== 'training' && this.#lastStep !== undefined) this.#lastStep = undefined;
    this.#phase = phase;
    this.#report(position, now);
  }

  /** Validation and saving of one epoch took this long; counted in the time left. */
  noteOverhead(ms: number): void {
    this.#overheadMs = this.#overheadMs === 0 ? ms : (this.#overheadMs + ms) / 2;
  }

  report(position: Position): void {
    const now = this.#options.clock.now();
    this.#takeIn(now);
    this.#report(position, now);
  }

  #report(position: Position, now: number): void {
    this.#lastReport = now;
    if (!this.#options.isActive) return;
    this.#options.reporter.report({ type: 'progress', progress: this.#progress(position) });
  }

  #progress(position: Position): Progress {
    const { epoch, epochs, step, epochLength, epochStart, steps } = position;
    const totalSteps = epochStart + Math.max(0, epochs - epoch) * epochLength;
    const msPerStep = this.#steps > 0 ? this.#ms / this.#steps : 0;
    const left = Math.max(0, totalSteps - step) * msPerStep + Math.max(0, epochs - epoch) * this.#overheadMs;
    return {
      phase: this.#phase,
      epoch,
      epochs,
      step,
      totalSteps,
      epochStep: Math.max(0, step - epochStart),
      epochLength,
      samplesPerSecond: this.#ms > 0 ? (this.#samples / this.#ms) * 1000 : 0,
      ...(msPerStep > 0 ? { etaMs: left } : {}),
      ...(this.#loss === undefined ? {} : { loss: this.#loss }),
      ...(steps === undefined ? {} : { steps }),
    };
  }
}
