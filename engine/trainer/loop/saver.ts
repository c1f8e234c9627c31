import { EngineError, toEngineError } from '../../api/errors.ts';
import { bestSave, type PlannedSave, stepSave } from '../checkpoints/policy.ts';
import type { TrainingStore } from '../checkpoints/trainingStore.ts';
import type { TrainerSubject } from '../hooks.ts';
import type { LoopParts } from './loopParts.ts';
import type { Recycler } from './recycler.ts';
import { SaveFailures } from './saveFailures.ts';

/** Writes checkpoints when the loop says so, and lives with those that cannot be written. */
export class Saver {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  readonly #store: TrainingStore;
  readonly #recycler: Recycler;
  #savedStep: number | undefined;
  /** Why the newest step or epoch checkpoint is missing; undefined once a later one is safe. */
  #unsaved: EngineError | undefined;
  readonly #failures: SaveFailures;

  constructor(subject: TrainerSubject, parts: LoopParts, store: TrainingStore, recycler: Recycler) {
    this.#subject = subject;
    this.#parts = parts;
    this.#store = store;
    this.#recycler = recycler;
    this.#failures = new SaveFailures(parts.warn);
  }

  get newest(): string | undefined {
    return this.#store.newest;
  }

  /** A periodic save that fails is told and survived; one that was asked for is an error. */
  async save(save: PlannedSave, isRequired = false): Promise<void> {
    const { meter, log, media } = this.#parts;
    const { collective, reporter } = this.#subject.environment;
    meter.enter('saving', this.#parts.position());
    await log.flush();
    await media.flush();
    // what the steps before a checkpoint have logged comes first: who goes on from it does not log it again
    if (collective.rank === 0) await reporter.keep?.();
    try {
      await this.#store.save(save, this.#parts);
      this.#failures.ended(save);
      if (save.kind === 'step' || save.kind === 'epoch') {
        this.#savedStep = this.#parts.state.step;
        this.#unsaved = undefined;
        await this.#recycler.saved();
      }
    } catch (error) {
      // that another rank is gone is no matter of this checkpoint
      if (isRequired || (error instanceof EngineError && error.code.startsWith('distributed.'))) throw error;
      if (save.kind === 'step' || save.kind === 'epoch') this.#unsaved = toEngineError(error);
      this.#failures.add(save, toEngineError(error));
    }
    meter.enter('training', this.#parts.position());
  }

  /** Saves the last validation as `best` where it beats what `best` holds, if anything. */
  async saveIfBest(): Promise<void> {
    const { settings } = this.#subject;
    const { metric_monitor: monitor } = settings;
    const value = this.#parts.metrics[monitor?.metric_name ?? ''];
    if (monitor !== null && value !== undefined && monitor.isBetter(value, this.#store.best)) {
      await this.save(bestSave(settings));
    }
  }

  /** The checkpoint that a stop asks for; one of this very step is as good as another. Gives false: the training does not go on. */
  async saveForStop(): Promise<false> {
    const { step } = this.#parts.state;
    if (this.#savedStep !== step) await this.save(stepSave(this.#subject.settings, step), true);
    return false;
  }

  /** The training went back: what was saved at this step has another place in the data. */
  forgetStep(): void {
    this.#savedStep = undefined;
  }

  /** Throws `trainer.not-saved`: a training that looks completed but left no weights would be the worst kind of success. */
  checkSaved(): void {
    if (this.#unsaved === undefined) return;
    const { step } = this.#parts.state;
    throw new EngineError(
      'trainer.not-saved',
      `The training ran to step ${step}, but its last checkpoint is missing: ${this.#unsaved.message}`,
      { step },
      { cause: this.#unsaved },
    );
  }

  /** Puts back the weights of the best checkpoint, for on_train_end and whoever uses the model after fit(). */
  async restoreBest(): Promise<void> {
    const { settings } = this.#subject;
    const { metric_name: name, best_value: seen } = settings.metric_monitor ?? {};
    const value = this.#store.best ?? seen;
    const { warn } = this.#parts;
    if (value === undefined) {
      warn(`No validation gave a best ${name}: the weights stay as the last step left them.`);
      return;
    }
    try {
      const { train } = await this.#store.loadWeights(bestSave(settings).folder, this.#parts);
      warn(`The weights are those of the best ${name}, ${value} (epoch ${train.epoch}, step ${train.step}).`, 'info');
    } catch (error) {
      const why = toEngineError(error).message;
      warn(`The best weights could not be put back: ${why} The last step's stay.`, 'error');
    }
  }
}
