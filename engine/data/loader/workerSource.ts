import { toEngineError } from '../../api/errors.ts';
import type { WorkerRecipe } from '../worker/recipe.ts';
import { WorkerPool, type WorkerPoolOptions } from '../worker/workerPool.ts';

export interface WorkerSourceOptions extends Omit<WorkerPoolOptions, 'recipe'> {
  /** Whether threads are kept from pass to pass. */
  readonly isPersistent: boolean;
}

/** Gives a loader its worker threads, pass by pass, and knows which are alive. */
export class WorkerSource {
  readonly #options: WorkerSourceOptions;
  readonly #pools = new Set<Promise<WorkerPool>>();
  #recipe: WorkerRecipe | undefined;
  #kept: Promise<WorkerPool> | undefined;
  #refusal: string | undefined;

  constructor(options: WorkerSourceOptions, recipe: WorkerRecipe | undefined) {
    this.#options = options;
    this.#recipe = recipe;
  }

  setRecipe(recipe: WorkerRecipe): void {
    this.#recipe ??= recipe;
  }

  /** Why samples are read in the training process although workers were asked for. */
  get refusal(): string | undefined {
    if (this.#recipe !== undefined) return this.#refusal;
    return 'the dataset was given as an object, which a worker thread cannot make again. Describe it by _target_ in the config, or give worker_recipe';
  }

  /** Threads for a pass; undefined when there can be none, which is told once and not tried again. */
  async open(tell: (reason: string) => void): Promise<WorkerPool | undefined> {
    if (this.#recipe === undefined || this.#refusal !== undefined) return undefined;
    try {
      const kept = await this.#kept;
      if (kept?.isBroken === false) return kept;
      const starting = WorkerPool.start({ ...this.#options, recipe: this.#recipe });
      this.#pools.add(starting);
      if (this.#options.isPersistent) this.#kept = starting;
      return await starting;
    } catch (error) {
      this.#kept = undefined;
      this.#pools.clear();
      this.#refusal = `a worker thread could not make the dataset again: ${toEngineError(error).message}`;
      tell(this.#refusal);
      return undefined;
    }
  }

  /** After a pass: threads that are not kept, or are broken, end. */
  async release(pool: WorkerPool, hasFailed: boolean): Promise<void> {
    if (this.#options.isPersistent && !hasFailed && !pool.isBroken) return;
    await pool.dispose();
    for (const starting of this.#pools) if ((await starting) === pool) this.#pools.delete(starting);
    this.#kept = undefined;
  }

  async dispose(): Promise<void> {
    const pools = [...this.#pools];
    this.#pools.clear();
    this.#kept = undefined;
    for (const starting of pools) await starting.then((pool) => pool.dispose()).catch(() => undefined);
  }
}
