import type { Progress, Reporter, TrainPhase } from '../../api/training.ts';
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
}

/** Time constant of the moving averages: long enough to be steady, short enough to follow a change. */
const averageOverMs = 5000;

/** Speed, time left and the reports of both. */
export class ProgressMeter {
  readonly #options: ProgressMeterOptions;
  readonly #reportEveryMs: number;
  #phase: TrainPhase = 'starting';
  #lastReport = Number.NEGATIVE_INFINITY;
  #lastStep: number | undefined;
  #weight = 0;
  #msPerStep = 0;
  #samplesPerStep = 0;
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

  /** A training step ended that had `samples` samples over all ranks. Where that was is asked when it is reported. */
  stepped(samples: number, position: () => Position): void {
    const now = this.#options.clock.now();
    if (this.#lastStep !== undefined) {
      const elapsed = Math.max(0, now - this.#lastStep);
      const share = 1 - Math.exp(-Math.max(elapsed, 1) / averageOverMs);
      this.#weight += share * (1 - this.#weight);
      this.#msPerStep += share * (elapsed - this.#msPerStep);
      this.#samplesPerStep += share * (samples - this.#samplesPerStep);
    }
    this.#lastStep = now;
    if (now - this.#lastReport >= this.#reportEveryMs) this.#report(position(), now);
  }

  /** Another kind of work begins; its time is not a step's. Always reported. */
  enter(phase: TrainPhase, position: Position): void {
    const now = this.#options.clock.now();
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
    this.#report(position, this.#options.clock.now());
  }

  #report(position: Position, now: number): void {
    this.#lastReport = now;
    if (!this.#options.isActive) return;
    this.#options.reporter.report({ type: 'progress', progress: this.#progress(position) });
  }

  #progress(position: Position): Progress {
    const { epoch, epochs, step, epochLength, epochStart } = position;
    const totalSteps = epochStart + Math.max(0, epochs - epoch) * epochLength;
    // Averages start at zero; dividing by the weight so far takes that out.
    const msPerStep = this.#weight > 0 ? this.#msPerStep / this.#weight : 0;
    const samplesPerStep = this.#weight > 0 ? this.#samplesPerStep / this.#weight : 0;
    const left = Math.max(0, totalSteps - step) * msPerStep + Math.max(0, epochs - epoch) * this.#overheadMs;
    return {
      phase: this.#phase,
      epoch,
      epochs,
      step,
      totalSteps,
      epochStep: Math.max(0, step - epochStart),
      epochLength,
      samplesPerSecond: msPerStep > 0 ? (samplesPerStep / msPerStep) * 1000 : 0,
      ...(msPerStep > 0 ? { etaMs: left } : {}),
      ...(this.#loss === undefined ? {} : { loss: this.#loss }),
    };
  }
}
