import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { EngineError } from '../api/errors.ts';
import { parseExact } from '../base/exactJson.ts';
import { errorCode, readFailure } from './folder/fileSystem.ts';
import { checkpointFiles } from './layout.ts';
import { listCheckpoints, readText } from './list.ts';
import { type CheckpointManifest, MANIFEST, parseManifest } from './manifest.ts';
import { runFolderOf } from './places.ts';
import { parseSafetensors, type TensorData } from './safetensors/read.ts';

export type CheckpointPart = keyof typeof checkpointFiles;

export interface LoadedCheckpoint {
  readonly folder: string;
  readonly manifest: CheckpointManifest;
  readonly model: ReadonlyMap<string, TensorData>;
  readonly optimizer: ReadonlyMap<string, TensorData> | undefined;
  readonly ema: ReadonlyMap<string, TensorData> | undefined;
  readonly state: unknown;
  readonly configText: string | undefined;
}

/**
 * Reads a checkpoint folder, each file once: its checksum is checked while it is read.
 * @param parts which files to read; by default all that are there. What is not read is undefined, the model empty.
 * @throws EngineError `checkpoint.not-found` | `checkpoint.corrupt`, naming the file and the next best checkpoint
 */
export async function loadCheckpoint(
  folder: string,
  parts: readonly CheckpointPart[] = ['model', 'optimizer', 'ema', 'state', 'config'],
): Promise<LoadedCheckpoint> {
  const manifest = await readManifest(folder);
  try {
    const read = async (part: CheckpointPart) =>
      parts.includes(part) ? readChecked(folder, checkpointFiles[part], manifest, 'crc32') : undefined;
    const tensors = async (part: CheckpointPart) => {
      const bytes = await read(part);
      return bytes === undefined ? undefined : parseSafetensors(bytes, join(folder, checkpointFiles[part]));
    };
    const state = await read('state');
    const config = await read('config');
    return {
      folder,
      manifest,
      model: (await tensors('model')) ?? new Map(),
      optimizer: await tensors('optimizer'),
      ema: await tensors('ema'),
      state: state === undefined ? undefined : parseExact(new TextDecoder().decode(state)),
      configText: config === undefined ? undefined : new TextDecoder().decode(config),
    };
  } catch (error) {
    throw await withNextBest(error, folder);
  }
}

/** Reads every file and compares its SHA-256; undefined when all is as it was saved. */
export async function findDamage(folder: string): Promise<EngineError | undefined> {
  try {
    const file = join(folder, MANIFEST);
    const text = await readText(file);
    if (text === undefined) return corrupt(file, 'it is missing', {});
    const manifest = parseManifest(text, file);
    for (const name of Object.keys(manifest.files)) await readChecked(folder, name, manifest, 'sha256');
    return undefined;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

async function readManifest(folder: string): Promise<CheckpointManifest> {
  const file = join(folder, MANIFEST);
  const text = await readText(file);
  if (text === undefined) {
    const other = await nextBestCheckpoint(folder);
    throw new EngineError(
      'checkpoint.not-found',
      `${folder} is no complete checkpoint: it has no ${MANIFEST}. ${nextBestText(other)}`,
      { folder, nextBest: other },
    );
  }
  try {
    return parseManifest(text, file);
  } catch (error) {
    throw await withNextBest(error, folder);
  }
}

async function readChecked(
  folder: string,
  name: string,
  manifest: CheckpointManifest,
  check: Check,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const expected = manifest.files[name];
  if (expected === undefined) return undefined;
  const file = join(folder, name);
  const wanted = check === 'crc32' ? (expected.crc32 ?? expected.sha256) : expected.sha256;
  const found = await readWhole(file, expected.bytes, typeof wanted === 'number' ? new Crc32() : createHash('sha256'));
  if (found === undefined) throw corrupt(file, 'it is missing', {});
  if (found.size !== expected.bytes) {
    throw corrupt(file, `it has ${found.size} bytes instead of ${expected.bytes}`, { bytes: found.size });
  }
  if (found.digest !== (typeof wanted === 'number' ? Crc32.print(wanted) : wanted))
    throw corrupt(file, 'its content is not what was saved', { digest: found.digest });
  return found.bytes;
}

/** Large, because each piece waits for a thread to be free, which takes long on a busy machine. */
const CHUNK = 32 * 1024 * 1024;

type Check = 'crc32' | 'sha256';

interface Digest {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'hex'): string;
}

class Crc32 implements Digest {
  #value = 0;

  update(bytes: Uint8Array): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): string {
    return Crc32.print(this.#value);
  }

  static print(value: number): string {
    return value.toString(16).padStart(8, '0');
  }
}

/** Reads and hashes in one pass; a file of another size than expected is not read at all. */
async function readWhole(file: string, expected: number, hash: Digest) {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw readFailure(file, error);
  }
  try {
    const { size } = await handle.stat();
    if (size !== expected) return { size, digest: '', bytes: new Uint8Array() };
    const bytes = new Uint8Array(size);
    const readFrom = (position: number) => handle.read(bytes, position, Math.min(CHUNK, size - position), position);
    let done = 0;
    let reading = readFrom(0);
    while (done < size) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return { size: done, digest: '', bytes };
      const start = done;
      done += bytesRead;
      // The next piece comes from the disk while this one is hashed.
      if (done < size) reading = readFrom(done);
      hash.update(bytes.subarray(start, done));
    }
    return { size, digest: hash.digest('hex'), bytes };
  } finally {
    await handle.close();
  }
}

function corrupt(file: string, reason: string, details: Readonly<Record<string, unknown>>): EngineError {
  return new EngineError('checkpoint.corrupt', `${file} is damaged: ${reason}.`, { file, reason, ...details });
}

/** The newest other checkpoint of the run that is intact, every file read and compared with its hash. */
export async function nextBestCheckpoint(folder: string): Promise<string | undefined> {
  const entries = await listCheckpoints(runFolderOf(folder));
  for (const entry of entries.toReversed()) {
    if (entry.folder === folder || entry.problem !== undefined) continue;
    if ((await findDamage(entry.folder)) === undefined) return entry.folder;
  }
  return undefined;
}

function nextBestText(other: string | undefined): string {
  return other === undefined
    ? 'The run has no other intact checkpoint.'
    : `The next best is ${basename(other)} (${other}).`;
}

async function withNextBest(error: unknown, folder: string): Promise<unknown> {
  const damaged =
    EngineError.is(error, 'checkpoint.corrupt') || EngineError.is(error, 'checkpoint.safetensors.invalid');
  if (!damaged) return error;
  const other = await nextBestCheckpoint(folder);
  return new EngineError(
    'checkpoint.corrupt',
    `${error.message} ${nextBestText(other)}`,
    { ...error.details, nextBest: other },
    { cause: error },
  );
}
