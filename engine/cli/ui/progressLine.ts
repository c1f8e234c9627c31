import type { Progress } from '../../api/training.ts';
import type { Clock } from '../../base/clock.ts';
import { formatCount, formatDuration } from '../../base/format.ts';
import { formatMetric } from './format.ts';
import type { Terminal } from './terminal.ts';

const REDRAW_EVERY_MS = 100;
const LINE_EVERY_MS = 5000;

/**
 * Shows how a training goes: a bar that is redrawn on a terminal; elsewhere a plain line when the phase or epoch changes
 * and every few seconds.
 */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #shownAt = Number.NEGATIVE_INFINITY;
  #shownStage = '';
  #unshown: Progress | undefined;

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  show(progress: Progress): void {
    const now = this.#clock.now();
    const stage = `${progress.phase} ${progress.epoch}`;
    const interval = this.#terminal.isInteractive ? REDRAW_EVERY_MS : LINE_EVERY_MS;
    if (stage === this.#shownStage && now - this.#shownAt < interval) {
      this.#unshown = progress;
      return;
    }
    this.#shownAt = now;
    this.#shownStage = stage;
    this.#draw(progress);
  }

  /** Shows the last state, and leaves the line to whatever comes next. */
  end(): void {
    if (this.#unshown && !this.#terminal.isInteractive) this.#draw(this.#unshown);
    this.#terminal.clearStatus();
  }

  #draw(progress: Progress): void {
    this.#unshown = undefined;
    if (this.#terminal.isInteractive) this.#terminal.status(progressBar(progress, this.#terminal));
    else this.#terminal.note(describeProgress(progress));
  }
}

/** `epoch 2/3  training  step 120/1407  loss 0.2314  5,120 samples/s  ETA 0:23` */
export function describeProgress(progress: Progress): string {
  return [
    `epoch ${shownEpoch(progress)}/${progress.epochs}`,
    progress.phase,
    `step ${progress.step}/${progress.totalSteps}`,
    ...figures(progress),
  ].join('  ');
}

function progressBar(progress: Progress, terminal: Terminal): string {
  const { epochStep, epochLength, phase } = progress;
  // Validating and saving come when the steps of an epoch are done, and its counter may already be the next one's.
  const isDone = phase !== 'training' && phase !== 'starting';
  const share = isDone ? 1 : epochLength > 0 ? Math.min(1, epochStep / epochLength) : 0;
  const width = 24;
  const full = Math.round(share * width);
  const bar = terminal.paintNote('cyan', '━'.repeat(full)) + terminal.paintNote('dim', '─'.repeat(width - full));
  const where = phase === 'training' ? `${epochStep}/${epochLength}` : phase;
  return [`epoch ${shownEpoch(progress)}/${progress.epochs}`, bar, where, ...figures(progress)].join('  ');
}

function figures(progress: Progress): string[] {
  return [
    ...(progress.loss === undefined ? [] : [`loss ${formatMetric(progress.loss)}`]),
    ...(progress.samplesPerSecond > 0 ? [`${formatCount(progress.samplesPerSecond)} samples/s`] : []),
    ...(progress.etaMs === undefined ? [] : [`ETA ${formatDuration(progress.etaMs)}`]),
  ];
}

/** Epochs count from 0 inside and from 1 for people; after the last one there is no further epoch. */
function shownEpoch(progress: Progress): number {
  return Math.min(progress.epoch + 1, Math.max(1, progress.epochs));
}
