import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { tensorFileBytes } from '../../checkpoint/index.ts';
import { savedWeights } from '../checkpoints/frozenWeights.ts';
import type { PlannedSave } from '../checkpoints/policy.ts';
import type { TrainerSubject } from '../hooks.ts';

export interface CheckpointSize {
  readonly modelBytes: number;
  readonly optimizerBytes: number;
  /** Averaged weights; 0 where none are kept. */
  readonly emaBytes: number;
  /** State, manifest and config; roughly, they grow by a few digits. */
  readonly restBytes: number;
}

/**
 * What one checkpoint takes on the disk. The optimizer is stepped once, with gradients of zero, because only then its
 * slots exist: use it in a process that trains nothing.
 */
export function checkpointSize(subject: TrainerSubject, configText: string): CheckpointSize {
  const { model, optimizer, lr_scheduler: scheduler, settings } = subject;
  const trainable = model.namedParameters().filter(({ variable }) => variable.trainable);
  const gradients = new Map(trainable.map(({ name, variable }) => [name, tf.zeros(variable.shape)]));
  if (gradients.size > 0) optimizer.step(gradients);
  for (const gradient of gradients.values()) gradient.dispose();
  const { tensors, scalars } = optimizer.stateDict();
  const texts = [JSON.stringify(scalars), JSON.stringify(scheduler?.stateDict() ?? null), configText];
  const size = {
    modelBytes: tensorFileBytes(outlines(savedWeights(model, settings))),
    optimizerBytes: tensorFileBytes(outlines(tensors)),
    emaBytes:
      settings.ema === null
        ? 0
        : tensorFileBytes(outlines(new Map(trainable.map(({ name, variable }) => [name, variable])))),
    // counters, random streams and the manifest have about as many characters
    restBytes: texts.reduce((sum, text) => sum + text.length, 0) + 1500,
  };
  for (const tensor of tensors.values()) tensor.dispose();
  return size;
}

function outlines(tensors: ReadonlyMap<string, tf.Tensor>) {
  const names = { int32: 'I32', bool: 'BOOL' } as const;
  return [...tensors].map(([name, { dtype, shape }]) => {
    const isOther = dtype === 'int32' || dtype === 'bool';
    return { name, dtype: isOther ? names[dtype] : ('F32' as const), shape };
  });
}

/** Counts the checkpoints that lie on the disk while saves and pruning follow each other. */
export class CheckpointCount {
  readonly #keep: number | null;
  /** Epoch and step checkpoints share what is kept. */
  readonly #passing = new Set<string>();
  readonly #lasting = new Set<string>();
  #most = 0;

  constructor(keep: number | null) {
    this.#keep = keep;
  }

  save(save: PlannedSave): void {
    // a folder is replaced only when the new one is complete: both lie there for a while
    this.#most = Math.max(this.#most, this.now + 1);
    if (save.kind === 'best' || save.kind === 'permanent') {
      this.#lasting.add(save.folder);
      return;
    }
    this.#passing.add(save.folder);
    const surplus = this.#keep === null ? 0 : Math.max(0, this.#passing.size - this.#keep);
    for (const folder of [...this.#passing].slice(0, surplus)) this.#passing.delete(folder);
  }

  get now(): number {
    return this.#passing.size + this.#lasting.size;
  }

  get most(): number {
    return this.#most;
  }
}

/** Bytes that this user may still write where `folder` is or will be; undefined where the system does not say. */
export function freeBytes(folder: string): number | undefined {
  let place = resolve(folder);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    const { bavail, bsize } = statfsSync(place);
    return bavail * bsize;
  } catch {
    return undefined; // network and virtual file systems may refuse to tell
  }
}
