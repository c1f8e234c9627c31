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

const megabyte = 2 ** 20;
/** Memory of a process is noisy (garbage waits to be collected): its floor is looked at over so many windows. */
const rssWindowsPerFloor = 5;
const leastRssGrowth = 64 * megabyte;
/** A trace goes on until an epoch has ended in it, since hooks of the epoch may be to blame, but not for ever. */
const longestTrace = 4;

interface Traced {
  readonly what: 'tensors' | 'rss';
  readonly growth: Growth;
  /** What was there when the trace began. */
  readonly start: number;
  windows: number;
  sawEpochEnd: boolean;
}

/**
 * Looks for tensors and memory that are never freed, names the hook that leaves them, and says so once. While nothing
 * grows it costs a comparison a step and a look at the process's memory a window; only then hooks are measured one by one.
 */
export class LeakGuard {
  readonly #settings: LeakGuardSettings;
  readonly #ports: LeakGuardPorts;
  readonly #tensors = new GrowthWatch({ windows: 5, least: () => 8 });
  readonly #memory = new GrowthWatch({ windows: 4, least: (first) => Math.max(leastRssGrowth, first / 20) });
  #steps = 0;
  #leastTensors = Number.POSITIVE_INFINITY;
  #leastRss = Number.POSITIVE_INFINITY;
  #rssSamples = 0;
  #trace: HookTrace | undefined;
  #traced: Traced | undefined;
  readonly #told = new Set<string>();

  constructor(settings: LeakGuardSettings, ports: LeakGuardPorts) {
    this.#settings = settings;
    this.#ports = ports;
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
    const tensors = liveTensors() - this.#ports.held();
    if (tensors < this.#leastTensors) this.#leastTensors = tensors;
    if (++this.#steps >= this.#settings.window) this.#closeWindow();
  }

  epochEnded(): void {
    if (this.#traced !== undefined) this.#traced.sawEpochEnd = true;
  }

  #closeWindow(): void {
    const rss = this.#ports.rss();
    const tensors = this.#leastTensors;
    this.#steps = 0;
    this.#leastTensors = Number.POSITIVE_INFINITY;
    this.#ports.onSample({ tensors, rss });
    this.#checkLimit(rss);
    const grown = this.#takeRss(rss);
    const growth = this.#tensors.take(tensors);
    if (this.#traced !== undefined) this.#closeTrace(this.#traced, tensors, rss);
    else if (growth !== undefined && !this.#told.has('tensors')) this.#beginTrace('tensors', growth, tensors);
    else if (grown !== undefined && this.#told.size === 0) this.#beginTrace('rss', grown, rss);
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
    if (limit === null || rss <= limit * megabyte || this.#told.has('limit')) return;
    this.#tell('limit', `The process holds ${mb(rss)} of memory, more than leak_guard.max_rss_mb (${limit}).`);
  }

  #beginTrace(what: 'tensors' | 'rss', growth: Growth, start: number): void {
    this.#trace = new HookTrace(this.#ports.held);
    this.#traced = { what, growth, start, windows: 0, sawEpochEnd: false };
  }

  #closeTrace(traced: Traced, tensors: number, rss: number): void {
    traced.windows++;
    if (!traced.sawEpochEnd && traced.windows < longestTrace) return;
    const grown = (traced.what === 'tensors' ? tensors : rss) - traced.start;
    const trace = this.#trace;
    this.#trace = undefined;
    this.#traced = undefined;
    // it stopped growing by itself: a cache that is full now
    if (grown <= 0) return;
    const worst = trace?.worst(traced.what, grown);
    const steps = traced.growth.windows * this.#settings.window;
    if (traced.what === 'tensors') this.#tell('tensors', tensorText(traced.growth, steps, worst));
    else this.#tell('rss', rssText(traced.growth, steps * rssWindowsPerFloor, worst));
  }

  #tell(what: string, text: string): void {
    this.#told.add(what);
    const next = this.#settings.recycle_worker_at_checkpoint ? ' The process is replaced at the next checkpoint.' : '';
    this.#ports.warn(`${text}${next}`);
  }
}

function tensorText({ from, to }: Growth, steps: number, worst: TracedHook | undefined): string {
  const rate = round((to - from) / steps);
  const who =
    worst === undefined
      ? 'No hook leaves them: look at the loader, the optimizer or code that runs beside the training.'
      : `${worst.name} leaves ${round(worst.tensors / worst.calls)} behind at each call: wrap what it computes in tf.tidy, dispose what is replaced, and keep numbers (await tensor.data()) instead of tensors.`;
  return `The number of tensors grows: ${from} to ${to} in ${steps} steps, ${rate} a step. ${who}`;
}

function rssText({ from, to }: Growth, steps: number, worst: TracedHook | undefined): string {
  const who =
    worst === undefined
      ? 'No single hook stands out.'
      : `Most of it comes in ${worst.name} (${mb(worst.rss / worst.calls)} at each call).`;
  return `The process grows: ${mb(from)} to ${mb(to)} of memory in ${steps} steps, while the number of tensors does not. ${who} Look for lists, maps or buffers that are only ever added to; leak_guard.recycle_worker_at_checkpoint: true replaces the process at the next checkpoint.`;
}

function mb(bytes: number): string {
  return `${round(bytes / megabyte)} MB`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
