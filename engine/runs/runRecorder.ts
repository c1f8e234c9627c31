import { mkdirSync } from 'node:fs';
import { isAbsolute, join, posix } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { MediaNotice } from '../api/media.ts';
import type { CheckpointNotice, MetricPoint } from '../api/training.ts';
import type { Disposable } from '../base/disposable.ts';
import { MediaJournal } from './mediaJournal.ts';
import { MetricJournal } from './metricJournal.ts';
import { readRunFile, runFiles, updateRunFile, writeAtomically, writeRunFile } from './runFolder.ts';
import type { RunStore } from './runStore.ts';
import type { NewRun, RunPatch } from './runTable.ts';

/** Files that a run's folder gets when it is made, besides its record. */
export interface RunFolderContent {
  /** `.hydra/{config,hydra,overrides}.yaml` by name without extension. */
  readonly hydra?: Readonly<Record<string, string>> | undefined;
  readonly origins?: unknown;
  /** `git diff` of the project's code. */
  readonly codeDiff?: string | undefined;
}

export interface RecorderOptions {
  /** Told once when the store cannot be written, and once when it can again; the folder is written meanwhile. */
  readonly onStoreTrouble?: (problem: EngineError | undefined) => void;
}

/** Makes the run's folder with everything known at the start, then its row: the row is only ever an index of a folder. */
export function createRun(store: RunStore, run: NewRun, content: RunFolderContent = {}): void {
  mkdirSync(run.expDir, { recursive: true });
  const write = (name: string, text: string) => writeAtomically(join(run.expDir, name), text);
  write(runFiles.config, run.configYaml);
  if (run.resolvedYaml !== undefined) write(runFiles.resolvedConfig, run.resolvedYaml);
  write(runFiles.environment, `${JSON.stringify(run.environment, null, 2)}\n`);
  if (content.origins !== undefined) write(runFiles.origins, `${JSON.stringify(content.origins)}\n`);
  if (content.codeDiff) write(runFiles.codeDiff, content.codeDiff);
  if (content.hydra) {
    mkdirSync(join(run.expDir, runFiles.hydra), { recursive: true });
    for (const [name, text] of Object.entries(content.hydra)) write(join(runFiles.hydra, `${name}.yaml`), text);
  }
  const { expDir, configYaml: _config, resolvedYaml: _resolved, environment: _environment, ...known } = run;
  writeRunFile(expDir, {
    version: 1,
    status: 'starting',
    ...known,
    overrides: [...run.overrides],
    devices: [...run.devices],
  });
  store.runs.create(run);
}

/** What a run that goes on may have changed of its config. */
export interface RunConfigChange {
  readonly configYaml: string;
  readonly resolvedYaml?: string | undefined;
  readonly origins: unknown;
  readonly overrides: readonly string[];
}

/** Another config for a run that goes on: in its folder first, then in its row. */
export function changeRunConfig(store: RunStore, run: Pick<NewRun, 'id' | 'expDir'>, change: RunConfigChange): void {
  const { configYaml, resolvedYaml, origins, overrides } = change;
  const write = (name: string, text: string) => writeAtomically(join(run.expDir, name), text);
  write(runFiles.config, configYaml);
  if (resolvedYaml !== undefined) write(runFiles.resolvedConfig, resolvedYaml);
  write(runFiles.origins, `${JSON.stringify(origins)}\n`);
  updateRunFile(run.expDir, { overrides: [...overrides] });
  store.runs.update(run.id, { configYaml, overrides, ...(resolvedYaml === undefined ? {} : { resolvedYaml }) });
}

/**
 * Writes what happens in one run: first into its folder (the truth), then into the store (the index). A store that is
 * locked or broken never stops a training: what it missed is kept and tried again with the next write, and a rebuild finds
 * everything in the folder.
 */
export class RunRecorder implements Disposable {
  readonly #store: RunStore;
  readonly #runId: string;
  readonly #expDir: string;
  readonly #journal: MetricJournal;
  readonly #media: MediaJournal;
  readonly #onStoreTrouble: (problem: EngineError | undefined) => void;
  #backlog: (() => void)[] = [];
  #troubled = false;

  constructor(store: RunStore, runId: string, expDir: string, options: RecorderOptions = {}) {
    this.#store = store;
    this.#runId = runId;
    this.#expDir = expDir;
    this.#journal = new MetricJournal(expDir);
    this.#media = new MediaJournal(expDir);
    this.#onStoreTrouble = options.onStoreTrouble ?? (() => undefined);
  }

  /** Changes the run's row and its `run.json`. */
  update(patch: RunPatch): void {
    const { progress, ...lasting } = patch;
    // Progress changes many times a second and dies with the run: only the row carries it.
    if (Object.keys(lasting).length > 0 && readRunFile(this.#expDir)) {
      const { devices, tags, overrides: _overrides, configYaml: _config, resolvedYaml: _resolved, ...rest } = lasting;
      updateRunFile(this.#expDir, {
        ...rest,
        ...(devices ? { devices: [...devices] } : {}),
        ...(tags ? { tags: [...tags] } : {}),
      });
    }
    this.#write(() => this.#store.runs.update(this.#runId, patch));
  }

  appendMetrics(points: readonly MetricPoint[]): void {
    this.#journal.append(points);
    this.#write(() => this.#store.metrics.append(this.#runId, points));
  }

  /** Items whose files are in the folder already. */
  mediaLogged(notices: readonly MediaNotice[]): void {
    this.#media.append(notices);
    this.#write(() => this.#store.media.save(this.#runId, notices));
  }

  /**
   * The run goes on from `step`: points and items after it are dropped. The training removes the files of media itself: it
   * knows when it begins to write new ones of the same names.
   */
  truncate(step: number): void {
    this.#journal.truncate(step);
    this.#media.truncate(step);
    this.#write(() => {
      this.#store.metrics.truncate(this.#runId, step);
      this.#store.media.truncate(this.#runId, step);
    });
  }

  checkpointSaved(notice: CheckpointNotice): void {
    this.#keepPlace(notice.path);
    this.#write(() => this.#store.checkpoints.save(this.#runId, notice));
  }

  checkpointPruned(path: string): void {
    this.#write(() => this.#store.checkpoints.remove(this.#runId, path));
  }

  /** Tries once more what the store refused. True when nothing is left. */
  flush(): boolean {
    if (this.#backlog.length === 0) return true;
    const waiting = this.#backlog;
    try {
      this.#store.transaction(() => {
        for (const work of waiting) work();
      });
    } catch (error) {
      this.#trouble(error);
      return false;
    }
    this.#backlog = [];
    if (this.#troubled) this.#onStoreTrouble(undefined);
    this.#troubled = false;
    return true;
  }

  dispose(): void {
    this.flush();
    this.#journal.dispose();
    this.#media.dispose();
  }

  /** A checkpoint that lies outside is only found again, by restarts and scans, when the folder says where. */
  #keepPlace(path: string): void {
    if (!path.startsWith('../') && !isAbsolute(path)) return;
    const known = readRunFile(this.#expDir)?.checkpointFolders ?? [];
    const folder = posix.dirname(path);
    if (!known.includes(folder)) updateRunFile(this.#expDir, { checkpointFolders: [...known, folder] });
  }

  #write(work: () => void): void {
    this.#backlog.push(work);
    this.flush();
  }

  #trouble(error: unknown): void {
    // A removed run stays removed: its writes are pointless and must not pile up.
    if (!(error instanceof EngineError) || error.code === 'runs.not-found') {
      this.#backlog = [];
      if (!(error instanceof EngineError)) throw error;
    }
    if (!this.#troubled) this.#onStoreTrouble(error);
    this.#troubled = true;
  }
}
