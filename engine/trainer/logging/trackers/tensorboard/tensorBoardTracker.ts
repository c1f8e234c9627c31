import type { MetricPoint } from '../../../../api/training.ts';
import type { Clock } from '../../../../base/clock.ts';
import type { Histogram } from '../../media/histogram.ts';
import type { LoggedMedia, Tracker, TrackerStart } from '../tracker.ts';
import { EventFile } from './eventFile.ts';
import {
  audioValue,
  histogramValue,
  imageValue,
  pluginValue,
  type SummaryValue,
  scalarValue,
  sessionStartEvent,
  summaryEvent,
  textValue,
} from './eventProto.ts';
import { experimentData, type HyperparameterValue, sessionEndData, sessionStartData } from './hparamsProto.ts';
import { eventsOfStep } from './keptEvents.ts';

const hparams = 'hparams';

/**
 * Event files for TensorBoard (`tensorboard --logdir …`), with the summaries that PyTorch's SummaryWriter writes: scalars,
 * images (several of a step as `key/0`, `key/1`…), audio, texts, histograms, hyper-parameters; tables as Markdown text.
 */
export class TensorBoardTracker implements Tracker {
  readonly name = 'tensorboard';
  readonly #folder: string;
  readonly #clock: Clock;
  #file: EventFile | undefined;
  #begin = 0;
  /** What an earlier attempt wrote at the step that this one begins at, by tags, as far as it was not written again. */
  #ofBegin = new Map<string, Uint8Array>();
  #trouble: { readonly error: unknown } | undefined;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  begin({ hyperparameters, name, step, monitor }: TrackerStart): void {
    const now = this.#seconds();
    const earlier = step === 0 ? new Map() : eventsOfStep(this.#folder, step);
    const file = new EventFile(this.#folder, now, (error) => {
      this.#trouble = { error };
    });
    this.#file = file;
    // the first attempt says so too: TensorBoard's server takes only a second start for a restart, and drops nothing before
    this.#startAt(step, earlier);
    const values = plainValues(hyperparameters);
    const info = {
      name,
      createdSeconds: now,
      hyperparameters: values,
      metrics: monitor === undefined ? [] : [monitor],
    };
    this.#addPlugin('_hparams_/experiment', experimentData(info));
    this.#addPlugin('_hparams_/session_start_info', sessionStartData(values, name, now));
    file.flush();
  }

  rolledBack(step: number): void {
    this.flush();
    this.#startAt(step, eventsOfStep(this.#folder, step));
  }

  metrics(points: readonly MetricPoint[]): void {
    for (const { key, step, time, value } of points) this.#add({ time, step }, [scalarValue(key, value)]);
  }

  media({ notice, bytes, text }: LoggedMedia): void {
    const value = mediaValue({ notice, bytes, text });
    if (value !== undefined) this.#add(notice, [value]);
  }

  flush(): void {
    this.#file?.flush();
    this.#throwTrouble();
  }

  end(status: 'completed' | 'failed'): void {
    this.#keepEarlier();
    this.#addPlugin('_hparams_/session_end_info', sessionEndData(status, this.#seconds()));
    this.#file?.close();
    this.#file = undefined;
    this.#throwTrouble();
  }

  #add(at: { readonly time: number; readonly step: number }, values: readonly SummaryValue[]): void {
    this.#throwTrouble();
    if (at.step > this.#begin) this.#keepEarlier();
    else for (const { tag } of values) this.#ofBegin.delete(tag);
    this.#file?.add(summaryEvent({ wallTime: at.time / 1000, step: at.step }, values));
  }

  /**
   * What was written from this step on is done again, but for what was written at the step before the checkpoint was saved
   * (validation): that follows, once it is known what of the step is written anew.
   */
  #startAt(step: number, earlier: Map<string, Uint8Array>): void {
    this.#begin = step;
    this.#ofBegin = earlier;
    this.#file?.add(sessionStartEvent({ wallTime: this.#seconds(), step }));
  }

  /** The step that was begun at is over: what of it was not written again is still true. */
  #keepEarlier(): void {
    for (const event of this.#ofBegin.values()) this.#file?.add(event);
    this.#ofBegin = new Map();
  }

  #addPlugin(tag: string, content: Uint8Array): void {
    this.#add({ time: this.#clock.now(), step: 0 }, [pluginValue(tag, { plugin: hparams, content })]);
  }

  #seconds(): number {
    return this.#clock.now() / 1000;
  }

  #throwTrouble(): void {
    if (this.#trouble !== undefined) throw this.#trouble.error;
  }
}

function mediaValue({ notice, bytes, text }: LoggedMedia): SummaryValue | undefined {
  const { key, item, detail } = notice;
  const tag = item === 0 ? key : `${key}/${item}`;
  switch (detail.kind) {
    case 'image':
      return imageValue(tag, { png: bytes, width: detail.width, height: detail.height, colorspace: detail.channels });
    case 'audio': {
      const { sampleRate, channels, seconds } = detail;
      return audioValue(tag, { wav: bytes, sampleRate, channels, frames: Math.round(seconds * sampleRate) });
    }
    case 'text':
    case 'table':
      return textValue(tag, text ?? '');
    case 'histogram':
      return histogramSummary(tag, detail);
  }
}

/** Undefined where no value is finite: TensorBoard has no picture for that. */
function histogramSummary(tag: string, histogram: Histogram): SummaryValue | undefined {
  const { edges, counts, count, minimum, maximum, mean, std } = histogram;
  if (count === 0) return undefined;
  const sumOfSquares = count * (std * std + mean * mean);
  // an empty first bucket tells where the next one begins
  const limits = [...edges];
  return histogramValue(tag, {
    minimum,
    maximum,
    count,
    sum: mean * count,
    sumOfSquares,
    limits,
    counts: [0, ...counts],
  });
}

/** Numbers, texts and booleans stay; lists become JSON, null the text 'null'. */
function plainValues(values: Readonly<Record<string, unknown>>): Record<string, HyperparameterValue> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
        ? value
        : JSON.stringify(value ?? null),
    ]),
  );
}
