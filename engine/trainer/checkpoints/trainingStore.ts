import { relative, resolve, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import type { Collective } from '../../api/training.ts';
import type { FrozenWeights } from '../../checkpoint/index.ts';
import { fromPlain, toYaml } from '../../config/index.ts';
import type { StreamState } from '../../data/index.ts';
import type { TrainerSubject } from '../hooks.ts';
import type { LoopParts } from '../loop/loopParts.ts';
import { shareBuffers } from '../loop/shareWeights.ts';
import { checkObjects, readStates, restoreStates } from '../state/checkpointable.ts';
import { Rates, type SavedRates } from '../state/rates.ts';
import { readSavedState, rescaleCursor, type SavedState } from '../state/savedState.ts';
import type { CheckpointContent, CheckpointFiles, CheckpointPlace } from './checkpointFiles.ts';
import { fittingOptimizer, resetsOptimizer } from './fit.ts';
import { describeFrozen, frozenParameters, loadWeights, savedWeights } from './frozenWeights.ts';
import { bestSave, type PlannedSave } from './policy.ts';

const accumulatedPrefix = 'accumulated.rank';

/** What each rank has of its own, by rank. */
interface OfRanks {
  readonly random: SavedState['random'];
  readonly custom: readonly (readonly unknown[])[];
  readonly streams: readonly (StreamState | null)[];
}

interface LoadOptions {
  /** Go on with the data after what was seen, not after what the checkpoint had seen. */
  readonly keepsPlace?: boolean;
}

/** Takes the training's state to disk and back. Every rank calls, rank 0 writes. */
export class TrainingStore {
  readonly #subject: TrainerSubject;
  readonly #files: CheckpointFiles;
  readonly #rates: Rates;
  #newest: string | undefined;
  #best: number | undefined;
  #frozen: Promise<FrozenWeights | undefined> | undefined;

  constructor(subject: TrainerSubject, files: CheckpointFiles) {
    this.#subject = subject;
    this.#files = files;
    this.#rates = new Rates(subject.optimizer, subject.lr_scheduler);
  }

  /** Folder of the newest checkpoint written or read. */
  get newest(): string | undefined {
    return this.#newest;
  }

  /** Writes a checkpoint, reports it, and prunes older ones only when it is safe. All ranks learn of a failure. */
  async save(save: PlannedSave, parts: LoopParts): Promise<void> {
    const { model, environment } = this.#subject;
    const { collective } = environment;
    await shareBuffers(model, collective);
    const random = await collective.allGather(parts.random.state());
    const custom = await this.#customStates();
    const streams = await collective.allGather(parts.cursor.stream ?? null);
    const accumulated =
      parts.state.accumulated === 0 ? [] : await collective.allGather(await parts.updater.exportAccumulated());
    let failure: unknown;
    if (collective.rank === 0) {
      try {
        await this.#write(save, parts, { random, custom, streams }, accumulated);
        await this.#prune(save);
      } catch (error) {
        failure = error;
      }
    }
    const failed = (await collective.allGather(failure === undefined ? null : messageOf(failure)))[0] ?? null;
    if (failure !== undefined) throw failure;
    if (failed !== null)
      throw new EngineError('trainer.save', `Rank 0 could not write the checkpoint: ${failed}`, {
        folder: save.folder,
      });
    this.#newest = save.folder;
    if (save.kind === 'best') this.#best = this.#monitored(parts.metrics);
  }

  /** The states of every rank's checkpoint_objects. All ranks learn of one that could not be taken. */
  async #customStates(): Promise<unknown[][]> {
    const { checkpoint_objects: objects, environment } = this.#subject;
    let own: { readonly states: unknown[] } | { readonly failure: string };
    let failure: unknown;
    try {
      own = { states: readStates(objects) };
    } catch (error) {
      failure = error;
      own = { failure: messageOf(error) };
    }
    const all = await environment.collective.allGather(own);
    if (failure !== undefined) throw failure;
    return all.map((answer, rank) => {
      if ('states' in answer) return answer.states;
      throw new EngineError('trainer.save', `Rank ${rank}: ${answer.failure}`, {});
    });
  }

  /** The monitored metric of the `best` checkpoint; undefined where there is none. */
  get best(): number | undefined {
    return this.#best;
  }

  #monitored(metrics: Readonly<Record<string, number>> | undefined): number | undefined {
    const { metric_monitor: monitor } = this.#subject.settings;
    const value = monitor === null ? undefined : metrics?.[monitor.metric_name];
    return Number.isNaN(value) ? undefined : value;
  }

  async #write(
    save: PlannedSave,
    parts: LoopParts,
    ofRanks: OfRanks,
    accumulated: readonly (Float32Array | undefined)[],
  ): Promise<void> {
    const { model, optimizer, environment } = this.#subject;
    const { state } = parts;
    const slots = optimizer.stateDict();
    const own = new Map(slots.tensors);
    accumulated.forEach((values, rank) => {
      if (values !== undefined) own.set(`${accumulatedPrefix}${rank}`, tf.tensor1d(values));
    });
    try {
      const time = environment.clock.now();
      const label = { kind: save.kind, epoch: state.epoch, step: state.step, metrics: parts.metrics, time };
      const bytes = await this.#files.write(
        save.folder,
        {
          model: savedWeights(model, this.#subject.settings),
          frozen: await this.#frozenWeights(),
          optimizer: own,
          ema: parts.average?.tensors() ?? new Map(),
          state: this.#capture(parts, slots.scalars, ofRanks),
        },
        { ...label, run: this.#runDir, configText: this.#configText() },
      );
      const checkpoint = { ...label, path: this.#relative(save.folder), bytes };
      environment.reporter.report({ type: 'checkpoint-saved', checkpoint });
    } finally {
      for (const tensor of own.values()) tensor.dispose();
    }
  }

  /** They do not change while they are frozen: read from the device once. */
  #frozenWeights(): Promise<FrozenWeights | undefined> {
    const { model, settings } = this.#subject;
    if (!settings.save_trainable_only) return Promise.resolve(undefined);
    this.#frozen ??= describeFrozen(frozenParameters(model));
    return this.#frozen;
  }

  #capture(parts: LoopParts, optimizer: unknown, { random, custom, streams }: OfRanks): SavedState {
    const { settings, environment, lr_scheduler: scheduler } = this.#subject;
    return {
      format: 1,
      train: { ...parts.state },
      seed: environment.seed,
      world_size: environment.collective.worldSize,
      epoch_length: parts.epochLength,
      random,
      optimizer,
      scheduler: scheduler?.stateDict() ?? null,
      schedule: environment.schedule?.filled ?? null,
      monitor: settings.metric_monitor?.state_dict() ?? null,
      ema: parts.average?.scalars ?? null,
      scaler: parts.scaler?.state() ?? null,
      spikes: parts.guard.state(),
      steps: parts.compiler?.mode ?? null,
      graphs: parts.compiler?.graphCounts ?? null,
      ...(streams.some((stream) => stream !== null) ? { streams: [...streams] } : {}),
      metrics: { ...parts.metrics },
      custom: [...(custom[0] ?? [])],
      ...(custom.length > 1 ? { custom_by_rank: custom.map((states) => [...states]) } : {}),
    };
  }

  async #prune(save: PlannedSave): Promise<void> {
    if (save.kind !== 'epoch' && save.kind !== 'step') return;
    const { save_last_k: keep } = this.#subject.settings;
    for (const removed of await this.#files.prune(this.#place, keep, save.folder)) {
      this.#subject.environment.reporter.report({ type: 'checkpoint-pruned', path: this.#relative(removed) });
    }
  }

  /**
   * The checkpoint to go on from: the one that was named, or the newest where that is asked for. Rank 0 looks. Throws
   * `checkpoint.foreign` where another run's checkpoints are in the way of this one's.
   */
  async findStart(named: string | null, { warn }: Pick<LoopParts, 'warn'>): Promise<string | null> {
    const { settings, environment } = this.#subject;
    const isMain = environment.collective.rank === 0;
    let newest: string | undefined;
    let failure: unknown;
    try {
      if (isMain) await this.#files.refuseForeign(this.#place);
      const isWanted = isMain && named === null && settings.auto_resume_from_latest_ckpt;
      if (isWanted) newest = await this.#files.latest(this.#place, warn);
    } catch (error) {
      failure = error;
    }
    // the others hear of a failure instead of waiting for an answer
    const [answer] = await environment.collective.allGather({ newest, failure: failure && messageOf(failure) });
    if (failure !== undefined) throw failure;
    if (answer?.failure) throw new EngineError('trainer.resume', `Rank 0 found no checkpoint: ${answer.failure}`, {});
    return named ?? answer?.newest ?? null;
  }

  /**
   * What lies in the training's folders and is later than where it goes on belongs to another future, and must not pass
   * for newer than what is written from now on. Rank 0 moves it, the others wait.
   */
  async setLaterAside({ state, warn }: LoopParts): Promise<void> {
    const { settings, environment } = this.#subject;
    if (environment.collective.rank === 0) {
      try {
        const { folder, moved } = await this.#files.setLaterAside(this.#place, state);
        for (const entry of moved) {
          environment.reporter.report({ type: 'checkpoint-pruned', path: this.#relative(entry.folder) });
        }
        const names = moved.map(({ path }) => path).join(', ');
        if (folder !== undefined) {
          warn(
            `${names}: of steps after ${state.step}, where this training goes on. Moved to ${this.#relative(folder)}.`,
            'info',
          );
        }
        if (moved.some(({ kind }) => kind === 'best')) await this.#promoteBest(warn);
      } catch (error) {
        warn(
          `Checkpoints of later steps could not be moved out of the way: ${messageOf(error)} The newest may be theirs.`,
        );
      }
    }
    const isMain = environment.collective.rank === 0;
    const held = isMain ? await this.#files.metricsOf(bestSave(settings).folder, this.#runDir) : undefined;
    const [best] = await environment.collective.allGather(this.#monitored(held) ?? null);
    this.#best = best ?? undefined;
  }

  /** Something is to be best at any time: the best of what is left, which need not be what the monitor has seen. */
  async #promoteBest(warn: LoopParts['warn']): Promise<void> {
    const { settings, environment } = this.#subject;
    const { metric_monitor: monitor } = settings;
    if (monitor === null) return;
    const best = await this.#files.promoteBest(this.#place, monitor);
    if (best === undefined) return;
    const { kind, epoch, step, metrics, time, bytes } = best;
    const path = this.#relative(bestSave(settings).folder);
    environment.reporter.report({
      type: 'checkpoint-saved',
      checkpoint: { kind, path, epoch, step, metrics, time, bytes },
    });
    const value = metrics[monitor.metric_name];
    warn(
      `The best checkpoint is now that of step ${step}, the best one left (${monitor.metric_name} ${value}).`,
      'info',
    );
  }

  /**
   * Puts everything back: weights, optimizer, scheduler, monitor, counters, place in the data, random numbers.
   * Throws what reading the folder throws, `model.state` for another model's weights, `trainer.resume` for a state
   * that does not fit.
   */
  async load(folder: string, parts: LoopParts, options: LoadOptions = {}): Promise<void> {
    const { model, environment, settings } = this.#subject;
    const content = await this.#files.read(folder);
    try {
      const saved = readSavedState(content.state, folder);
      const place = { pass: parts.state.pass, batch: parts.state.batch };
      const stream = options.keepsPlace === true ? parts.cursor.stream : streamOf(saved, environment.collective);
      await loadWeights(model, content, folder);
      this.#restoreAverage(content, saved, parts);
      const slots = new Map([...content.optimizer].filter(([name]) => !name.startsWith(accumulatedPrefix)));
      const { lr_scheduler_interval: interval } = settings;
      const config = environment.hyperparameters;
      const { worldSize } = environment.collective;
      const reached = rescaleCursor(saved, worldSize, parts.epochLength);
      const resets = resetsOptimizer(this.#subject, folder);
      const rates: SavedRates = {
        resets,
        saved,
        slots,
        configText: content.configText,
        config,
        interval,
        worldSize,
        schedule: environment.schedule,
        place: reached.step - reached.offset,
      };
      const notes = fittingOptimizer(folder, () => this.#rates.load(rates));
      for (const note of notes) parts.warn(note, 'info');
      if (saved.monitor !== null && settings.metric_monitor?.load_state_dict(saved.monitor) === false) {
        parts.warn(
          `The checkpoint's monitor watched '${saved.monitor.metric_name}' (${saved.monitor.mode}); best value and patience start afresh.`,
        );
      }
      await this.#restoreCustom(saved, folder);
      Object.assign(parts.state, reached, resets ? { accumulated: 0 } : {});
      if (options.keepsPlace === true) Object.assign(parts.state, place);
      if (saved.scaler != null) parts.scaler?.restore(saved.scaler);
      if (saved.spikes != null) parts.guard.restore(saved.spikes);
      if (saved.steps != null) parts.compiler?.resume(saved.steps, saved.graphs);
      const random = saved.random[environment.collective.rank];
      if (random === undefined || saved.world_size !== environment.collective.worldSize) {
        parts.warn(
          `The checkpoint was written by ${saved.world_size} processes, this run has ${environment.collective.worldSize}: it goes on at the same step with the data after what was seen, but not bit for bit.`,
        );
      } else parts.random.restore(random);
      parts.metrics = saved.metrics;
      const own = content.optimizer.get(`${accumulatedPrefix}${environment.collective.rank}`);
      if (parts.state.accumulated > 0 && own !== undefined) {
        parts.updater.importAccumulated(Float32Array.from(await own.data()));
      }
      await parts.moveCursor(stream);
      this.#newest = folder;
    } finally {
      disposeContent(content);
    }
  }

  /** Puts a checkpoint's weights back, averaged ones too, and nothing else. Throws what reading the folder throws. */
  async loadWeights(folder: string, parts: LoopParts): Promise<SavedState> {
    const content = await this.#files.read(folder);
    try {
      const saved = readSavedState(content.state, folder);
      await loadWeights(this.#subject.model, content, folder);
      this.#restoreAverage(content, saved, parts);
      return saved;
    } finally {
      disposeContent(content);
    }
  }

  #restoreAverage(content: CheckpointContent, saved: SavedState, { average, warn }: LoopParts): void {
    if (average !== undefined && content.ema.size > 0) {
      average.load(content.ema, { decay: saved.ema?.decay ?? 0, updates: saved.ema?.updates ?? 0 });
    } else if (average !== undefined) {
      average.dispose();
      average.begin();
      warn('The checkpoint has no averaged weights; averaging (trainer.ema) starts from its weights.', 'info');
    } else if (content.ema.size > 0) {
      warn('The checkpoint has averaged weights, but trainer.ema is not set: the averages are not carried on.');
    }
  }

  async #restoreCustom(saved: SavedState, folder: string): Promise<void> {
    const { checkpoint_objects: objects, environment } = this.#subject;
    const { rank, worldSize } = environment.collective;
    const own = saved.world_size === worldSize ? saved.custom_by_rank?.[rank] : undefined;
    const states = own ?? saved.custom;
    checkObjects(folder, objects, states);
    await restoreStates(objects, states);
  }

  /** The resolved config travels with the checkpoint, so that it can be used without its run. */
  #configText(): string | undefined {
    const { hyperparameters } = this.#subject.environment;
    return hyperparameters === undefined ? undefined : toYaml(fromPlain(hyperparameters));
  }

  #relative(folder: string): string {
    return relative(resolve(this.#runDir), resolve(folder)).split(sep).join('/');
  }

  get #place(): CheckpointPlace {
    const { project_dir, checkpoint_dir } = this.#subject.settings;
    return { project_dir, checkpoint_dir, run: this.#runDir };
  }

  get #runDir(): string {
    return this.#subject.environment.runDir ?? this.#subject.settings.project_dir;
  }
}

/** Where this rank's stream stood. On another number of ranks the first's: the loader knows whether it will do. */
function streamOf(saved: SavedState, { rank, worldSize }: Pick<Collective, 'rank' | 'worldSize'>) {
  return saved.streams?.[saved.world_size === worldSize ? rank : 0] ?? undefined;
}

function disposeContent({ model, optimizer, ema }: CheckpointContent): void {
  for (const tensors of [model, optimizer, ema]) for (const tensor of tensors.values()) tensor.dispose();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
