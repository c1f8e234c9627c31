import { EngineError } from '../../../api/errors.ts';
import { encodeWav } from './audio.ts';
import { histogramOf } from './histogram.ts';
import { encodePng, toPixels } from './image.ts';
import type { MediaFile, MediaLog } from './mediaLog.ts';
import { keepValue, type MediaValue } from './mediaValue.ts';
import { checkTable, type LoggedTable, tableJson, tableMarkdown } from './table.ts';

export interface MediaOptions {
  /** Instead of the current step. */
  readonly step?: number;
  /** In training_step media are taken when logging is due (log_every_n_steps), or always. */
  readonly always?: boolean;
}

export interface ImageOptions extends MediaOptions {
  /** One text an image, or one for all. */
  readonly caption?: string | readonly string[];
  /** Map each image's minimum and maximum to black and white, instead of 0 and 1. */
  readonly normalize?: boolean;
}

export interface AudioOptions extends MediaOptions {
  /** Samples a second. */
  readonly sample_rate: number;
  readonly caption?: string;
}

export interface HistogramOptions extends MediaOptions {
  /** Bins of equal width; 64 unless given. */
  readonly bins?: number;
}

/** What logging media needs of the training. */
export interface MediaTarget {
  readonly media: MediaLog;
  readonly isLogging: boolean;
  readonly state: { readonly step: number; readonly epoch: number };
}

const mostImages = 64;
const longestKey = 200;
const encoder = new TextEncoder();

/**
 * The trainer's methods for what is more than a number. Rank 0 logs, other ranks' calls do nothing. All return at once:
 * tensors stay the caller's and are read, encoded and written beside the training. A wrong argument throws
 * `trainer.media`; values that cannot be shown (their shape, their rate) are told once in the run's log and left out.
 */
export abstract class MediaMethods {
  /** Throws while no training runs. */
  protected abstract mediaTarget(method: string): MediaTarget;

  /**
   * Logs an image, or a batch of at most 64: [height, width], [height, width, channels] or [batch, height, width,
   * channels], channels last, 1 (grey), 3 (RGB) or 4 (RGBA). Floats are 0 to 1, int32 0 to 255. Written as PNG.
   */
  log_image(key: string, image: MediaValue, options: ImageOptions = {}): void {
    this.#add(key, image, options, 'log_image', async (values) => {
      const images = toPixels(values, key, options.normalize ?? false);
      if (images.length > mostImages) {
        const text = `'${key}' is a batch of ${images.length} images; the first ${mostImages} are logged.`;
        this.mediaTarget('log_image').media.tellOnce(`images ${key}`, text);
      }
      const files: MediaFile[] = [];
      for (const [index, pixels] of images.slice(0, mostImages).entries()) {
        const { width, height, channels } = pixels;
        const caption = typeof options.caption === 'string' ? options.caption : options.caption?.[index];
        const bytes = await encodePng(pixels);
        files.push({ bytes, extension: 'png', detail: { kind: 'image', width, height, channels }, caption });
      }
      return files;
    });
  }

  /** Logs a sound: [frames] or [frames, channels]; floats are -1 to 1, int32 16-bit samples. Written as 16-bit WAV. */
  log_audio(key: string, samples: MediaValue, options: AudioOptions): void {
    this.#add(key, samples, options, 'log_audio', async (values) => {
      const { wav, channels, frames } = encodeWav(values, options.sample_rate, key);
      const seconds = frames / options.sample_rate;
      const detail = { kind: 'audio', sampleRate: options.sample_rate, channels, seconds } as const;
      return [{ bytes: wav, extension: 'wav', detail, caption: options.caption }];
    });
  }

  /** Logs a text; Markdown is kept as it is. */
  log_text(key: string, text: string, options: MediaOptions = {}): void {
    if (typeof text !== 'string') throw new EngineError('trainer.media', `'${key}': log_text takes a string.`, { key });
    const bytes = encoder.encode(text);
    const detail = { kind: 'text', characters: text.length } as const;
    this.#addFile(key, { bytes, extension: 'txt', detail, text }, options, 'log_text');
  }

  /** Logs how a tensor's values are spread: counts in bins of equal width, mean, deviation, and how many are not finite. */
  log_histogram(key: string, values: MediaValue, options: HistogramOptions = {}): void {
    const { bins = 64 } = options;
    if (!Number.isInteger(bins) || bins < 1 || bins > 512) {
      throw new EngineError('trainer.media', `'${key}': bins must be a whole number from 1 to 512, not ${bins}.`, {
        key,
      });
    }
    this.#add(key, values, options, 'log_histogram', async ({ data }) => {
      const detail = histogramOf(data, bins);
      const { edges, counts, count, notFinite, minimum, maximum, mean, std } = detail;
      const numbers = { minimum, maximum, mean, std };
      const content = { edges, counts, count, notFinite, ...(count > 0 ? numbers : {}) };
      return [{ bytes: encoder.encode(JSON.stringify(content)), extension: 'json', detail }];
    });
  }

  /** Logs a table: a list of rows, each with one text, number, boolean or null a column. Written as JSON. */
  log_table(key: string, table: LoggedTable, options: MediaOptions = {}): void {
    const { columns, data } = checkTable(table, key);
    const detail: MediaFile['detail'] = { kind: 'table', columns: [...columns], rows: data.length };
    const bytes = encoder.encode(tableJson({ columns, data }));
    this.#addFile(
      key,
      { bytes, extension: 'json', detail, text: tableMarkdown({ columns, data }) },
      options,
      'log_table',
    );
  }

  #addFile(key: string, file: MediaFile, options: MediaOptions, method: string): void {
    this.#add(key, new Uint8Array(), options, method, () => Promise.resolve([file]));
  }

  #add(
    key: string,
    value: MediaValue,
    options: MediaOptions,
    method: string,
    encode: (values: Awaited<ReturnType<ReturnType<typeof keepValue>['read']>>) => Promise<readonly MediaFile[]>,
  ): void {
    const { media, isLogging, state } = this.mediaTarget(method);
    checkKey(key, method);
    const { step = state.step } = options;
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new EngineError('trainer.media', `${method} '${key}': step must be a whole number, not ${step}.`, { key });
    }
    if (!media.isActive || (!isLogging && options.always !== true)) return;
    const kept = keepValue(value, key);
    media.add({
      place: { key, step, epoch: state.epoch },
      bytes: kept.bytes,
      encode: async () => encode(await kept.read()),
      release: () => kept.release(),
    });
  }
}

function checkKey(key: string, method: string): void {
  if (typeof key === 'string' && key.length > 0 && key.length <= longestKey) return;
  throw new EngineError(
    'trainer.media',
    `${method} needs a name of 1 to ${longestKey} characters as its first argument, for instance 'val/samples'.`,
    { key },
  );
}
