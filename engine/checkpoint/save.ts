import { createHash } from 'node:crypto';
import type { CheckpointKind } from '../api/training.ts';
import { stringifyExact } from '../base/exactJson.ts';
import { type FolderFile, writeFolder } from './folder/atomicFolder.ts';
import { type FileSystem, nodeFileSystem } from './folder/fileSystem.ts';
import { checkpointFiles } from './layout.ts';
import { refuseForeign } from './list.ts';
import { type CheckpointManifest, FORMAT, type FrozenWeights, MANIFEST, printManifest, VERSION } from './manifest.ts';
import { ownerLabel } from './places.ts';
import { safetensorsBytes, type TensorOutline, type TensorSource, writeSafetensors } from './safetensors/write.ts';

export interface CheckpointRequest {
  readonly folder: string;
  readonly kind: CheckpointKind;
  readonly epoch: number;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly model: Iterable<TensorSource>;
  readonly optimizer?: Iterable<TensorSource> | undefined;
  readonly ema?: Iterable<TensorSource> | undefined;
  /** Everything that is no tensor: scheduler, sampler, random streams, counters. Plain values; NaN and ∞ are kept. */
  readonly state: unknown;
  /** What `model` leaves out. */
  readonly frozen?: FrozenWeights | undefined;
  /** The run's folder, for whoever finds a checkpoint that lies outside of it. */
  readonly run?: string | undefined;
  /** Copied into the folder, so that it can be used without its run. */
  readonly configText?: string | undefined;
}

export interface SavedCheckpoint {
  readonly folder: string;
  /** Of all files together. */
  readonly bytes: number;
  readonly manifest: CheckpointManifest;
}

/**
 * Writes a checkpoint folder as a whole or not at all, replacing an older one of that name.
 * @throws EngineError `checkpoint.disk-full` | `checkpoint.not-writable` | `checkpoint.tensor` | `checkpoint.foreign`
 */
export async function saveCheckpoint(
  request: CheckpointRequest,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<SavedCheckpoint> {
  const { configText, frozen } = request;
  const owner = request.run === undefined ? {} : ownerLabel(request.folder, request.run);
  if (request.run !== undefined) await refuseForeign(request.folder, request.run);
  let manifest: CheckpointManifest | undefined;
  const written = await writeFolder(
    request.folder,
    filesOf(request),
    (files) => {
      const made: CheckpointManifest = {
        format: FORMAT,
        version: VERSION,
        kind: request.kind,
        epoch: request.epoch,
        step: request.step,
        metrics: { ...request.metrics },
        ...owner,
        ...(configText === undefined ? {} : { config_hash: createHash('sha256').update(configText).digest('hex') }),
        ...(frozen === undefined ? {} : { frozen }),
        saved_at: new Date(request.time).toISOString(),
        time: request.time,
        files: Object.fromEntries(files),
      };
      manifest = made;
      return textFile(MANIFEST, printManifest(made));
    },
    fileSystem,
  );
  if (manifest === undefined) throw new Error('Internal error: the folder was written without a manifest');
  const bytes = [...written.values()].reduce((sum, file) => sum + file.bytes, 0);
  return { folder: request.folder, bytes, manifest };
}

function filesOf(request: CheckpointRequest): FolderFile[] {
  const { optimizer, ema, configText } = request;
  return [
    tensorFile(checkpointFiles.model, request.model),
    ...(optimizer === undefined ? [] : [tensorFile(checkpointFiles.optimizer, optimizer)]),
    ...(ema === undefined ? [] : [tensorFile(checkpointFiles.ema, ema)]),
    textFile(checkpointFiles.state, `${stringifyExact(request.state)}\n`),
    ...(configText === undefined ? [] : [textFile(checkpointFiles.config, configText)]),
  ];
}

// Python's loaders look for this mark.
const mark = { format: 'pt' };

/** Bytes of a checkpoint's file of such tensors. */
export function tensorFileBytes(tensors: Iterable<TensorOutline>): number {
  return safetensorsBytes(tensors, mark);
}

function tensorFile(name: string, tensors: Iterable<TensorSource>): FolderFile {
  return { name, write: (sink) => writeSafetensors(sink, tensors, mark) };
}

function textFile(name: string, text: string): FolderFile {
  return { name, write: (sink) => sink.write(new TextEncoder().encode(text)) };
}
