import { z } from 'zod';
import { MeasuredNumber } from './number.ts';

/** What a trainer can log besides numbers. */
export const MediaKind = z.enum(['image', 'audio', 'text', 'histogram', 'table']);
export type MediaKind = z.infer<typeof MediaKind>;

/** What is known of an item without opening its file. */
export const MediaDetail = z.discriminatedUnion('kind', [
  /** Pixels. */
  z.object({ kind: z.literal('image'), width: z.number().int(), height: z.number().int(), channels: z.number().int() }),
  z.object({ kind: z.literal('audio'), sampleRate: z.number(), channels: z.number().int(), seconds: z.number() }),
  z.object({ kind: z.literal('text'), characters: z.number().int() }),
  /** `edges` has one entry more than `counts`; both are empty when no value was finite. */
  z.object({
    kind: z.literal('histogram'),
    edges: z.array(z.number()),
    counts: z.array(z.number()),
    /** Finite values, and those that were NaN or infinite. */
    count: z.number().int(),
    notFinite: z.number().int(),
    minimum: MeasuredNumber,
    maximum: MeasuredNumber,
    mean: MeasuredNumber,
    /** Population standard deviation. */
    std: MeasuredNumber,
  }),
  z.object({ kind: z.literal('table'), columns: z.array(z.string()), rows: z.number().int() }),
]);
export type MediaDetail = z.infer<typeof MediaDetail>;

function isMediaPath(path: string): boolean {
  return path.startsWith('media/') && !/(^|[/\\])\.\.([/\\]|$)/.test(path);
}

/** One logged item: its file is in the run's folder, this is what travels and is indexed. */
export const MediaNotice = z.object({
  /** e.g. `val/samples`. */
  key: z.string(),
  step: z.number().int().nonnegative(),
  epoch: z.number().int().nonnegative(),
  /** Place among the items of its key and step, from 0. */
  item: z.number().int().nonnegative(),
  /** File, relative to the run's folder, with forward slashes: `media/image/val/samples/step_400_0.png`. */
  path: z.string().refine(isMediaPath, 'expected a path within the media folder'),
  bytes: z.number().int().nonnegative(),
  /** Milliseconds since the epoch. */
  time: z.number(),
  caption: z.string().optional(),
  detail: MediaDetail,
});
export type MediaNotice = z.infer<typeof MediaNotice>;

/** Everything logged under one name. */
export const MediaKey = z.object({
  kind: MediaKind,
  key: z.string(),
  items: z.number().int(),
  bytes: z.number().int(),
  /** How many steps have items, the first and the last of them. */
  steps: z.number().int(),
  firstStep: z.number().int(),
  lastStep: z.number().int(),
  /** Milliseconds since the epoch of the newest item. */
  lastTime: z.number(),
});
export type MediaKey = z.infer<typeof MediaKey>;

export const MediaOfKey = z.object({ runId: z.string(), kind: MediaKind, key: z.string() });

/** A file's content, ready for a `Blob`. */
export const MediaContent = z.object({ contentType: z.string(), bytes: z.instanceof(Uint8Array) });
export type MediaContent = z.infer<typeof MediaContent>;

/** A larger file is not sent to a page; it is not written either. */
export const MAX_MEDIA_FILE_BYTES = 32 * 1024 * 1024;
