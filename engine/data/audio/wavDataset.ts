import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { Dataset } from '../dataset/dataset.ts';
import type { SampleContext } from '../dataset/sampleContext.ts';
import type { OpenFile } from '../files/openFile.ts';
import type { HostTensor } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { openWav, readWavFrames, type WavHeader } from './wavFile.ts';

export interface WavDatasetOptions {
  /** Folder whose .wav files, in folders below too, are taken in the order of their paths. */
  readonly root?: string | null;
  /** Or the files themselves, in this order. */
  readonly files?: readonly string[] | null;
  /** Hz that every file must have; all must agree when absent. */
  readonly sample_rate?: number | null;
  /** Mixes the channels into one (their mean), so that a sample is [frames]; true when absent. */
  readonly mono?: boolean;
  /** Seconds of audio in a sample; whole files when absent. */
  readonly segment_seconds?: number | null;
  /** Seconds from one segment's start to the next; segment_seconds unless given. A rest shorter than a segment is left out. */
  readonly hop_seconds?: number | null;
  /** One sample a file: a segment from a random place (the sample's own stream), the beginning where nothing is random. */
  readonly random_segment?: boolean;
}

export interface WavSample {
  /** float32, −1 … 1: [frames] when mono, else [frames, channels]. */
  readonly audio: HostTensor;
  readonly sample_rate: number;
  readonly path: string;
}

interface Source {
  readonly path: string;
  readonly header: WavHeader;
}

interface Segment {
  readonly source: Source;
  readonly start: number;
  readonly frames: number;
}

const known = ['root', 'files', 'sample_rate', 'mono', 'segment_seconds', 'hop_seconds', 'random_segment'];

/**
 * WAV files, whole or in segments. Headers are read once; a sample reads the bytes of its segment only. `durations` are
 * seconds. Audio is never resampled: a file of another rate is refused by name. Throws `data.wav` and `data.file.*`.
 */
export class WavDataset extends Dataset<WavSample> {
  readonly sample_rate: number;
  readonly durations: readonly number[];
  readonly #segments: readonly Segment[];
  readonly #mono: boolean;
  /** Frames of a random segment. */
  readonly #window: number | undefined;
  #opened: { readonly path: string; readonly file: OpenFile } | undefined;

  constructor(options: WavDatasetOptions) {
    super();
    checkOptions('WavDataset', options, known);
    const sources = findFiles(options).map((path) => ({ path, header: openWav(path).header }));
    this.sample_rate = agreeOnRate(sources, options.sample_rate ?? undefined);
    this.#mono = options.mono ?? true;
    const window = seconds('segment_seconds', options.segment_seconds, this.sample_rate);
    const hop = seconds('hop_seconds', options.hop_seconds, this.sample_rate) ?? window;
    if (window === undefined && (options.random_segment === true || options.hop_seconds != null)) {
      throw new EngineError('options.invalid', `WavDataset: random_segment and hop_seconds need segment_seconds.`, {});
    }
    this.#window = options.random_segment === true ? window : undefined;
    this.#segments = sources.flatMap((source) => cut(source, window, this.#window === undefined ? hop : undefined));
    const rate = this.sample_rate;
    this.durations = this.#segments.map((segment) => (this.#window ?? segment.frames) / rate);
    if (this.#segments.length === 0) {
      throw new EngineError(
        'data.wav',
        `WavDataset: none of the ${sources.length} files is as long as a segment of ${options.segment_seconds} s. Lower segment_seconds.`,
        {},
      );
    }
  }

  get length(): number {
    return this.#segments.length;
  }

  get(index: number, context?: SampleContext): WavSample {
    this.checkIndex(index);
    const segment = this.#segments[index];
    if (segment === undefined) throw new RangeError(`no segment ${index}`);
    const { header, path } = segment.source;
    const frames = this.#window ?? segment.frames;
    const room = segment.frames - frames;
    const start = segment.start + (context === undefined || room === 0 ? 0 : context.random.integer(room + 1));
    const values = readWavFrames(this.#open(path), header, start, frames);
    return { audio: this.#shape(values, frames, header.channels), sample_rate: this.sample_rate, path };
  }

  /** Neighbouring segments are often of one file: the last one stays open. */
  #open(path: string): OpenFile {
    if (this.#opened?.path !== path) this.#opened = { path, file: openWav(path).file };
    return this.#opened.file;
  }

  #shape(values: Float32Array, frames: number, channels: number): HostTensor {
    if (!this.#mono) return { data: values, shape: [frames, channels], dtype: 'float32' };
    if (channels === 1) return { data: values, shape: [frames], dtype: 'float32' };
    const mixed = new Float32Array(frames);
    for (let frame = 0; frame < frames; frame++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += values[frame * channels + channel] ?? 0;
      mixed[frame] = sum / channels;
    }
    return { data: mixed, shape: [frames], dtype: 'float32' };
  }
}

function cut(source: Source, window: number | undefined, hop: number | undefined): Segment[] {
  const { frames } = source.header;
  if (window === undefined) return [{ source, start: 0, frames }];
  if (hop === undefined) return frames < window ? [] : [{ source, start: 0, frames }];
  const segments: Segment[] = [];
  for (let start = 0; start + window <= frames; start += hop) segments.push({ source, start, frames: window });
  return segments;
}

function findFiles({ root, files }: WavDatasetOptions): readonly string[] {
  if ((root == null) === (files == null)) {
    throw new EngineError(
      'options.invalid',
      `WavDataset needs 'root' (a folder) or 'files' (a list), one of them.`,
      {},
    );
  }
  const found = files ?? wavFilesBelow(root ?? '');
  if (found.length > 0) return found;
  throw new EngineError('data.folder', `WavDataset: there is no .wav file${root == null ? '' : ` in ${root}`}.`, {
    root,
  });
}

function wavFilesBelow(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => extname(name).toLowerCase() === '.wav')
      .sort()
      .map((name) => join(root, name));
  } catch (error) {
    throw new EngineError(
      'data.folder',
      `The folder ${root} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { root },
      { cause: error },
    );
  }
}

function agreeOnRate(sources: readonly Source[], wanted: number | undefined): number {
  const rate = wanted ?? sources[0]?.header.sampleRate ?? 0;
  const other = sources.find(({ header }) => header.sampleRate !== rate);
  if (other === undefined) return rate;
  throw new EngineError(
    'data.wav.rate',
    `${other.path} has ${other.header.sampleRate} Hz, not ${rate} Hz${wanted === undefined ? ` as ${sources[0]?.path}` : ' (sample_rate)'}. Audio is not resampled here; convert the file, for example with ffmpeg -i IN -ar ${rate} OUT.wav.`,
    { path: other.path, found: other.header.sampleRate, wanted: rate },
  );
}

function seconds(key: string, value: number | null | undefined, rate: number): number | undefined {
  if (value == null) return undefined;
  const frames = Math.round(value * rate);
  if (frames >= 1) return frames;
  throw new EngineError('options.invalid', `WavDataset: '${key}' must be above zero; it is ${value}.`, { key, value });
}
