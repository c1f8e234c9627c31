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

/** How far back the speed looks: long enough to be steady, short enough to follow a change. */
const averageOverMs = 5000;

/** Speed, time left and the reports of both. */
export class ProgressMeter {
  readonly #options: ProgressMeterOptions;
  readonly #reportEveryMs: number;
  #phase: TrainPhase = 'starting';
  #lastReport = Number.NEGATIVE_INFINITY;
  #lastStep: number | undefined;
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

  /** A training step ended that had `samples` samples over all ranks. Where that was is asked when it is reported. */
  stepped(samples: number, position: () => Position): void {
    const now = this.#options.clock.now();
    // The first step of a process makes the graph and starts the loader's threads: it says nothing of those that follow.
    if (this.#lastStep !== undefined && this.#isWarm) {
      const elapsed = Math.max(0, now - this.#lastStep);
      const kept = Math.exp(-elapsed / averageOverMs);
      this.#steps = this.#steps * kept + 1;
      this.#ms = this.#ms * kept + elapsed;
      this.#samples = this.#samples * kept + samples;
    }
    this.#isWarm = true;
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
    };
  }
}
