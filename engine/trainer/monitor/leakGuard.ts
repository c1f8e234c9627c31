import type { LeakGuardSettings } from '../settingSections.ts';
import { type Growth, GrowthWatch } from './growth.ts';
import { HookTrace, liveTensors, type TracedHook } from './hookTrace.ts';

export interface LeakGuardPorts {
  /** Tensors that the trainer itself keeps for a while: metrics to be sent, sums of a validation. */
  readonly held: () => number;
  readonly rss: () => number;
  readonly warn: (text: string) => void;
  /** Told at the end of each window. */
  readonly onSample: (sample: { readonly tensors: number; readonly rss: number }) => void;
}

/** Enough for a window's floor; a look at every one of many short steps would be felt. */
const looksPerWindow = 20;
const mebibyte = 2 ** 20;
/** Memory of a process is noisy (garbage waits to be collected): its floor is looked at over so many windows. */
const rssWindowsPerFloor = 5;
const leastRssGrowth = 64 * mebibyte;
/** A trace goes on until an epoch has ended in it, since hooks of the epoch may be to blame, but not for ever. */
const longestTrace = 4;

/** Growth over windows of steps, or over epochs. */
interface Found {
  readonly what: 'tensors' | 'rss';
  readonly growth: Growth;
  /** How many of `unit` it took. */
  readonly span: number;
  readonly unit: 'step' | 'epoch';
}

/** What is there at the end of a window or of an epoch. */
interface Look {
  readonly unit: Found['unit'];
  /** How many of `unit` lie between two looks. */
  readonly pace: number;
  readonly tensors: number;
  readonly rss: number;
}

interface Traced {
  readonly found: Found;
  /** What was there when the trace began. */
  readonly start: number;
  windows: number;
  sawEpochEnd: boolean;
}

/** The lowest of what was seen since the epoch began. */
const freshEpoch = { steps: 0, tensors: Number.POSITIVE_INFINITY, rss: Number.POSITIVE_INFINITY };

/**
 * Looks for tensors and memory that are never freed, names the hook that leaves them, and says so once. While nothing
 * grows it costs a count a step, a few comparisons and a look at the process's memory a window; only then hooks are measured one by one.
 * What hooks of the epoch leave raises the floor once an epoch: where that is longer than a window, epochs are compared.
 */
export class LeakGuard {
  readonly #settings: LeakGuardSettings;
  readonly #ports: LeakGuardPorts;
  readonly #tensors = new GrowthWatch({ windows: 5, least: () => 8 });
  readonly #memory = new GrowthWatch({ windows: 4, least: leastOfMemory });
  readonly #epochTensors = new GrowthWatch({ windows: 5, least: () => 4 });
  readonly #epochMemory = new GrowthWatch({ windows: 5, least: leastOfMemory });
  readonly #rssAtStart: number;
  #isLimitTold = false;
  /** Steps from one look at the number of tensors to the next. */
  readonly #stride: number;
  #steps = 0;
  #leastTensors = Number.POSITIVE_INFINITY;
  #leastRss = Number.POSITIVE_INFINITY;
  #rssSamples = 0;
  #epoch = { ...freshEpoch };
  #trace: HookTrace | undefined;
  #traced: Traced | undefined;
  readonly #told = new Set<string>();

  constructor(settings: LeakGuardSettings, ports: LeakGuardPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#stride = Math.max(1, Math.floor(settings.window / looksPerWindow));
    this.#rssAtStart = ports.rss();
  }

  /** Where hooks are to be measured at present; undefined while nothing grows. */
  get trace(): HookTrace | undefined {
    return this.#trace;
  }

  /** Whether a leak was found, or the process is larger than max_rss_mb: worth a new process. */
  get isTrouble(): boolean {
    return this.#told.size > 0;
  }

  /** After each training step. */
  stepped(): void {
    this.#epoch.steps++;
    if (++this.#steps % this.#stride === 0) {
      const tensors = this.#count();
      if (tensors < this.#leastTensors) this.#leastTensors = tensors;
      if (tensors < this.#epoch.tensors) this.#epoch.tensors = tensors;
    }
    if (this.#steps >= this.#settings.window) this.#closeWindow();
  }

  /** After the last hook of an epoch. */
  epochEnded(): void {
    const { steps, tensors, rss } = this.#epoch;
    this.#epoch = { ...freshEpoch };
    const { window } = this.#settings;
    const growth = steps < window ? undefined : this.#epochTensors.take(tensors);
    const grown = steps < window * rssWindowsPerFloor ? undefined : this.#epochMemory.take(rss);
    if (this.#traced !== undefined) {
      this.#traced.sawEpochEnd = true;
      if (this.#traced.found.unit === 'epoch') this.#closeTrace(this.#traced, this.#count(), this.#ports.rss());
      return;
    }
    this.#consider({ unit: 'epoch', pace: 1, tensors: this.#count(), rss: this.#ports.rss() }, growth, grown);
  }

  #count(): number {
    return liveTensors() - this.#ports.held();
  }

  #closeWindow(): void {
    const rss = this.#ports.rss();
    const tensors = this.#leastTensors;
    this.#steps = 0;
    this.#leastTensors = Number.POSITIVE_INFINITY;
    this.#epoch.rss = Math.min(this.#epoch.rss, rss);
    this.#ports.onSample({ tensors, rss });
    this.#checkLimit(rss);
    const grown = this.#takeRss(rss);
    const growth = this.#tensors.take(tensors);
    const look = { unit: 'step', pace: this.#settings.window, tensors, rss } as const;
    if (this.#traced === undefined) this.#consider(look, growth, grown);
    else if (this.#traced.found.unit === 'step') this.#closeTrace(this.#traced, tensors, rss);
  }

  #takeRss(rss: number): Growth | undefined {
    this.#leastRss = Math.min(this.#leastRss, rss);
    if (++this.#rssSamples < rssWindowsPerFloor) return undefined;
    const floor = this.#leastRss;
    this.#rssSamples = 0;
    this.#leastRss = Number.POSITIVE_INFINITY;
    return this.#memory.take(floor);
  }

  #checkLimit(rss: number): void {
    const { max_rss_mb: limit } = this.#settings;
    if (limit === null || rss <= limit * mebibyte || this.#isLimitTold) return;
    this.#isLimitTold = true;
    const text = `The process holds ${mib(rss)} of memory, more than leak_guard.max_rss_mb (${limit}).`;
    if (this.#rssAtStart <= limit * mebibyte) this.#tell('limit', text);
    else
      this.#ports.warn(
        `${text} It held ${mib(this.#rssAtStart)} before the first step, so a new one would be no smaller: raise the limit.`,
      );
  }

  /** Measures hooks from now on where something grows that was not told. */
  #consider({ unit, pace, ...now }: Look, tensors: Growth | undefined, rss: Growth | undefined): void {
    if (tensors !== undefined && !this.#told.has('tensors')) {
      const span = tensors.windows * pace;
      this.#beginTrace({ what: 'tensors', growth: tensors, span, unit }, now.tensors);
    } else if (rss !== undefined && this.#told.size === 0) {
      const span = rss.windows * pace * (unit === 'step' ? rssWindowsPerFloor : 1);
      this.#beginTrace({ what: 'rss', growth: rss, span, unit }, now.rss);
    }
  }

  #beginTrace(found: Found, start: number): void {
    this.#trace = new HookTrace(this.#ports.held);
    this.#traced = { found, start, windows: 0, sawEpochEnd: false };
  }

  #closeTrace(traced: Traced, tensors: number, rss: number): void {
    traced.windows++;
    if (!traced.sawEpochEnd && traced.windows < longestTrace) return;
    const { what } = traced.found;
    const grown = (what === 'tensors' ? tensors : rss) - traced.start;
    const trace = this.#trace;
    this.#trace = undefined;
    this.#traced = undefined;
    // it stopped growing by itself: a cache that is full now
    if (grown <= 0) return;
    const worst = trace?.worst(what, grown);
    this.#tell(what, what === 'tensors' ? tensorText(traced.found, worst) : rssText(traced.found, worst));
  }

  #tell(what: string, text: string): void {
    this.#told.add(what);
    const recycles = this.#settings.recycle_worker_at_checkpoint;
    const next = recycles
      ? 'The process is replaced at the next checkpoint.'
      : 'leak_guard.recycle_worker_at_checkpoint: true replaces the process at the next checkpoint.';
    this.#ports.warn(what === 'tensors' && !recycles ? text : `${text} ${next}`);
  }
}

function leastOfMemory(first: number): number {
  return Math.max(leastRssGrowth, first / 20);
}

function tensorText({ growth: { from, to }, span, unit }: Found, worst: TracedHook | undefined): string {
  const rate = round((to - from) / span);
  const who =
    worst === undefined
      ? 'No hook leaves them: look at the loader, the optimizer or code that runs beside the training.'
      : `${worst.name} leaves ${round(worst.tensors / worst.calls)} behind at each call: wrap what it computes in tf.tidy, dispose what is replaced, and keep numbers (await tensor.data()) instead of tensors.`;
  return `The number of tensors grows: ${from} to ${to} in ${span} ${unit}s, ${rate} ${unit === 'step' ? 'a' : 'an'} ${unit}. ${who}`;
}

function rssText({ growth: { from, to }, span, unit }: Found, worst: TracedHook | undefined): string {
  const who =
    worst === undefined
      ? 'No single hook stands out.'
      : `Most of it comes in ${worst.name} (${mib(worst.rss / worst.calls)} at each call).`;
  return `The process grows: ${mib(from)} to ${mib(to)} of memory in ${span} ${unit}s, while the number of tensors does not. ${who} Look for lists, maps or buffers that are only ever added to.`;
}

function mib(bytes: number): string {
  return `${round(bytes / mebibyte)} MiB`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
