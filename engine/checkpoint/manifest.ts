import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { MeasuredNumber } from '../api/number.ts';
import { CheckpointKind } from '../api/training.ts';
import { parseExact, stringifyExact } from '../base/exactJson.ts';

export const MANIFEST = 'manifest.json';
export const FORMAT = 'accelhydra-checkpoint';
/** Raised when a reader of this version could misread the folder. */
export const VERSION = 1;

/** A file of the checkpoint folder: a plain name, so that a manifest cannot point elsewhere. */
const FileName = z.string().regex(/^[\w][\w.-]*$/, 'a plain file name');

/** `manifest.json`: what a checkpoint is and what its files must be. Written last; a folder without it is not complete. */
export const CheckpointManifest = z.object({
  format: z.literal(FORMAT),
  version: z.number().int().positive(),
  kind: CheckpointKind,
  epoch: z.number().int().nonnegative(),
  /** Micro-batch steps done. */
  step: z.number().int().nonnegative(),
  /** Metrics known when it was saved. */
  metrics: z.record(z.string(), MeasuredNumber),
  /** The run's folder, relative to the one that this checkpoint's was written in; absent where the layout says it. */
  run: z.string().optional(),
  /** That run's id, where it has one; absent in manifests of earlier versions. */
  run_id: z.string().optional(),
  /** SHA-256 of the config's text. */
  config_hash: z.string().optional(),
  /**
   * Weights that were left out because they were not trained: their names, and the SHA-256 of them all, by which whoever
   * brings them again can see that they are the same.
   */
  frozen: z.object({ names: z.array(z.string()), sha256: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
  /** When it was saved, for people (ISO 8601) and for programs (milliseconds since the epoch). */
  saved_at: z.string(),
  time: z.number(),
  files: z.record(
    FileName,
    z.object({
      bytes: z.number().int().nonnegative(),
      /** Checked where damage is looked for: verifying, and choosing what to go on from. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      /** Checked at every read, since it takes a fraction of the time; absent in folders of earlier versions. */
      crc32: z.number().int().nonnegative().optional(),
    }),
  ),
});
export type CheckpointManifest = z.infer<typeof CheckpointManifest>;
export type FrozenWeights = NonNullable<CheckpointManifest['frozen']>;

export function printManifest(manifest: CheckpointManifest): string {
  // Parsed once more only to be indented: exact JSON writes one line.
  return `${JSON.stringify(JSON.parse(stringifyExact(manifest)), null, 2)}\n`;
}

/** @throws EngineError `checkpoint.corrupt` | `checkpoint.newer` */
export function parseManifest(text: string, file: string): CheckpointManifest {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (error) {
    throw corruptManifest(file, 'it is no JSON', error);
  }
  const version: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'version') : undefined;
  if (typeof version === 'number' && version > VERSION) {
    throw new EngineError(
      'checkpoint.newer',
      `${file} is of version ${version}, this program reads up to ${VERSION}. Update the program.`,
      { file, version },
    );
  }
  const parsed = CheckpointManifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw corruptManifest(file, `${issue?.path.join('.')}: ${issue?.message}`);
}

/** Whether it is a whole JSON document of another program's. */
export function isForeignManifest(text: string): boolean {
  try {
    const value = parseExact(text);
    return typeof value !== 'object' || value === null || Reflect.get(value, 'format') !== FORMAT;
  } catch {
    return false;
  }
}

function corruptManifest(file: string, reason: string, cause?: unknown): EngineError {
  return new EngineError('checkpoint.corrupt', `${file} is damaged: ${reason}.`, { file, reason }, { cause });
}
