import { relative } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { TrainingStore } from '../checkpoints/trainingStore.ts';
import type { TrainerSubject } from '../hooks.ts';
import type { LoopParts } from './loopParts.ts';
import { explainNotFinite, type NotFiniteEvidence } from './notFinite.ts';
import { mostSkipsInARow, type StepProblem } from './stepGuard.ts';

/** Spikes are told one by one up to this many. */
const toldSpikes = 10;

type Loaded = NotFiniteEvidence['loaded'];

export type Recovered = 'went-on' | 'rolled-back';

/** Does what the policies say about an optimizer step that the guard found fault with. Ranks do the same. */
export class Recovery {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  readonly #store: TrainingStore;
  #skipsInARow = 0;
  #spikes = 0;

  constructor(subject: TrainerSubject, parts: LoopParts, store: TrainingStore) {
    this.#subject = subject;
    this.#parts = parts;
    this.#store = store;
  }

  /** A step without a problem was taken. */
  passed(): void {
    this.#skipsInARow = 0;
  }

  /** Throws `trainer.not-finite`, `trainer.loss-spike` or `trainer.rollback`, saying where it came from and what to do. */
  async handle(problem: StepProblem, loaded: Loaded): Promise<Recovered> {
    switch (problem.policy) {
      case 'continue':
        this.#tellSpike(problem);
        return 'went-on';
      case 'skip':
        await this.#skip(problem, loaded);
        return 'went-on';
      case 'stop':
        throw await this.#failure(problem, loaded, hints[problem.kind]);
      case 'rollback':
        await this.#rollBack(problem, loaded);
        return 'rolled-back';
    }
  }

  /** The loss of the first step, which nothing learnt so far can excuse. Throws `trainer.not-finite`. */
  async checkFirstLoss(loss: number, loaded: Loaded): Promise<void> {
    if (Number.isFinite(loss)) return;
    const hint = 'To train on all the same, set nan_policy: continue.';
    throw await this.#failure(
      { kind: 'not-finite', policy: 'stop', text: `The loss is ${loss} at the first step.` },
      loaded,
      hint,
      { isAlone: true },
    );
  }

  #tellSpike({ text }: StepProblem): void {
    this.#spikes++;
    if (this.#spikes > toldSpikes) return;
    const last = this.#spikes === toldSpikes ? ' Further spikes are not told.' : '';
    this.#parts.warn(`Step ${this.#parts.state.step}: ${text} Training goes on (loss_spike.policy: continue).${last}`);
  }

  async #skip(problem: StepProblem, loaded: Loaded): Promise<void> {
    const { state, warn } = this.#parts;
    if (problem.kind === 'overflow') {
      warn(`Step ${state.step}: ${problem.text}`, 'info');
      return;
    }
    const option = problem.kind === 'spike' ? 'loss_spike.policy' : 'nan_policy';
    if (++this.#skipsInARow >= mostSkipsInARow) {
      throw await this.#failure(problem, loaded, `${this.#skipsInARow} optimizer steps in a row were left out.`);
    }
    warn(`Step ${state.step}: ${problem.text} This optimizer step was left out (${option}: skip).`);
  }

  async #rollBack(problem: StepProblem, loaded: Loaded): Promise<void> {
    const { settings, environment } = this.#subject;
    const { state, warn } = this.#parts;
    const { newest } = this.#store;
    const failedAt = state.step;
    const done = state.rollbacks;
    if (newest === undefined) {
      const hint = 'There is no checkpoint yet to roll back to; save_every_n_steps makes them sooner.';
      throw await this.#failure(problem, loaded, hint);
    }
    if (done >= settings.max_rollbacks) {
      throw await this.#failure(
        problem,
        loaded,
        `The run has rolled back ${done} times, which is max_rollbacks. Lower the learning rate or look at the data.`,
      );
    }
    const cause = problem.kind === 'not-finite' ? ` ${await this.#explain(loaded)}` : '';
    Object.assign(state, this.#parts.cursor.position);
    await this.#store.load(newest, this.#parts, { keepsPlace: true });
    state.rollbacks = done + 1;
    // what is still on its way belongs to the steps that were undone
    await this.#parts.log.flush();
    this.#parts.trackers.rolledBack(state.step);
    const place = relative(environment.runDir ?? settings.project_dir, newest);
    warn(
      `Step ${failedAt}: ${problem.text}${cause} Rolled back to ${place} (step ${state.step}), going on with the data that follows; roll-back ${done + 1} of at most ${settings.max_rollbacks}.`,
    );
  }

  /** All ranks ask, unless one `isAlone` with its loss. */
  async #failure(
    problem: StepProblem,
    loaded: Loaded,
    hint: string,
    { isAlone = false }: { readonly isAlone?: boolean } = {},
  ): Promise<EngineError> {
    const isSpike = problem.kind === 'spike';
    const cause = isSpike ? '' : ` ${await this.#explain(loaded, isAlone)}`;
    const code = problem.policy === 'rollback' ? 'rollback' : isSpike ? 'loss-spike' : 'not-finite';
    return new EngineError(`trainer.${code}`, `${problem.text}${cause} ${hint}`, { step: this.#parts.state.step });
  }

  #explain(loaded: Loaded, isAlone = false): Promise<string> {
    const { environment, settings } = this.#subject;
    return explainNotFinite({
      loaded,
      parameters: this.#parts.parameters,
      accumulation: isAlone ? 1 : settings.gradient_accumulation_steps,
      collective: isAlone ? undefined : environment.collective,
    });
  }
}

const hints = {
  'not-finite': 'nan_policy: skip leaves such steps out, rollback goes back to the last checkpoint.',
  spike: 'loss_spike.policy: skip leaves such steps out, rollback goes back to the last checkpoint.',
  overflow: '',
} as const;
