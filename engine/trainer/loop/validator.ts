import type { LoadedBatch, Loader } from '../../data/index.ts';
import type { TrainerSubject } from '../hooks.ts';
import { checkMetrics, readScalar } from '../logging/metricLog.ts';
import type { Breath } from './breath.ts';
import type { HookCaller } from './hookCall.ts';
import type { LoopParts } from './loopParts.ts';
import { shareBuffers } from './shareWeights.ts';
import { validationPass } from './validation.ts';

/** Several ranks ask each other after this many batches whether one of them was told to stop. */
const askEveryBatches = 8;

/** The validation after an epoch: hooks, means over all ranks, metrics on record. */
export class Validator {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  readonly #hooks: HookCaller;
  readonly #breath: Breath;

  constructor(subject: TrainerSubject, parts: LoopParts, hooks: HookCaller, breath: Breath) {
    this.#subject = subject;
    this.#parts = parts;
    this.#hooks = hooks;
    this.#breath = breath;
  }

  /** Nothing to do without validation data. False when it was ended by a stop. Sees averaged weights where there are. */
  async run(): Promise<boolean> {
    const { val_dataloader: loader, settings, model, environment } = this.#subject;
    if (loader === null) return true;
    await shareBuffers(model, environment.collective);
    const average = settings.ema?.validate === true ? this.#parts.average : undefined;
    average?.exchange(true);
    try {
      return await this.#validate(loader);
    } finally {
      average?.exchange(false);
    }
  }

  async #validate(loader: Loader): Promise<boolean> {
    const { environment, model } = this.#subject;
    const parts = this.#parts;
    const { collective } = environment;
    parts.meter.enter('validating', parts.position());
    model.eval();
    parts.sums.dispose();
    await this.#hooks.call('on_validation_start', () => this.#subject.on_validation_start());
    const step = (loaded: LoadedBatch) => this.#step(loaded);
    const isWhole = await validationPass({
      loader,
      collective,
      step,
      trace: () => this.#hooks.trace,
      pause: (index) => this.#mustStop(index),
    });
    if (!isWhole) return false;
    parts.accumulated = await parts.sums.means(collective);
    await this.#hooks.call('on_validation_end', () => this.#subject.on_validation_end());
    parts.metrics = await this.#readMetrics();
    model.train();
    return true;
  }

  async #mustStop(index: number): Promise<boolean> {
    const { collective, stop } = this.#subject.environment;
    if (this.#breath.isDue) await this.#breath.take();
    if (collective.worldSize === 1) return stop.requested;
    if ((index + 1) % askEveryBatches !== 0) return false;
    const wish = Float32Array.of(stop.requested ? 1 : 0);
    await collective.allReduce(wish, 'sum');
    this.#parts.isStopAgreed ||= (wish[0] ?? 0) > 0;
    return this.#parts.isStopAgreed;
  }

  // Not an async function: a hook that does not wait must end before anything else can run.
  #step(loaded: LoadedBatch): void | Promise<void> {
    this.#hooks.enterBatch(loaded, loaded.index);
    this.#parts.realSamples = loaded.real;
    const finish = (): void => {
      this.#parts.keeper.keep();
      this.#hooks.leaveBatch();
    };
    const { validation, sums, realSamples } = this.#parts;
    try {
      const accumulated = validation?.run(loaded);
      if (accumulated !== undefined) {
        for (const { name, mean, count } of accumulated) {
          if (realSamples > 0) sums.add({ [name]: mean }, count ?? realSamples);
          mean.dispose();
        }
        return finish();
      }
      const pending = this.#subject.validation_step(loaded.batch, loaded.index);
      validation?.ranEagerly(pending);
      if (!(pending instanceof Promise)) return finish();
      return pending.then(finish, (error: unknown) => {
        throw this.#hooks.error('validation_step', error);
      });
    } catch (error) {
      throw this.#hooks.error('validation_step', error);
    }
  }

  /** What get_val_metrics gives, the same on all ranks: rank 0's word counts. */
  async #readMetrics(): Promise<Record<string, number>> {
    const { state, log } = this.#parts;
    const { collective } = this.#subject.environment;
    const own: Record<string, number> = {};
    const given = await this.#hooks.call('get_val_metrics', async () => {
      const metrics = await this.#subject.get_val_metrics();
      checkMetrics('get_val_metrics', metrics);
      return metrics;
    });
    for (const [name, value] of Object.entries(given)) own[name] = await readScalar(value);
    const metrics = collective.worldSize === 1 ? own : ((await collective.allGather(own))[0] ?? own);
    for (const [name, value] of Object.entries(metrics)) {
      const key = `val/${name}`;
      if (!log.has(key, state.step)) log.add(key, value, state.step, state.epoch);
    }
    return metrics;
  }
}
