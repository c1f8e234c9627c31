import { EngineError } from '../../api/errors.ts';

/**
 * How a worker thread makes its own copy of a dataset: it imports `module` and calls `export` with `argument`. Threads
 * share no objects, so a dataset cannot be handed over; it can only be made again.
 */
export interface WorkerRecipe {
  /** A module's URL, such as `import.meta.url`. */
  readonly module: string;
  /** A function of that module: gives a dataset, or `{dataset, collate_fn}`, or a promise of either. */
  readonly export: string;
  /** Given to the function; must survive `structuredClone`. */
  readonly argument?: unknown;
}

export interface WorkerParts {
  readonly dataset: unknown;
  readonly collate: unknown;
}

/** Makes the dataset, in the thread that runs this. Throws `data.worker.recipe`, or what the function throws. */
export async function followRecipe(recipe: WorkerRecipe): Promise<WorkerParts> {
  const module: object = await import(/* @vite-ignore */ recipe.module);
  const make: unknown = Reflect.get(module, recipe.export);
  if (typeof make !== 'function') {
    throw new EngineError(
      'data.worker.recipe',
      `worker_recipe: ${recipe.module} exports no function '${recipe.export}'. It exports ${Object.keys(module).join(', ') || 'nothing'}.`,
      { module: recipe.module, export: recipe.export },
    );
  }
  const made: unknown = await make(recipe.argument);
  return isParts(made) ? { dataset: made.dataset, collate: made.collate_fn } : { dataset: made, collate: undefined };
}

function isParts(value: unknown): value is { readonly dataset: unknown; readonly collate_fn?: unknown } {
  return typeof value === 'object' && value !== null && 'dataset' in value && !('get' in value || 'samples' in value);
}
