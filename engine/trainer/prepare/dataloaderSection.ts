import { EngineError } from '../../api/errors.ts';
import { asLoader, isPlainObject, type Loader } from '../../data/index.ts';
import type { InstantiatePort } from './instantiatePort.ts';
import { loaderRecipe } from './loaderRecipe.ts';

/**
 * Builds a dataloader section by hand, as AccelHydra does: the dataset first; `sampler` and `batch_sampler` get it as
 * `data_source` beside their own keys; then `collate_fn`; then the loader with the rest.
 */
export async function buildDataloader(path: string, section: unknown, port: InstantiatePort): Promise<Loader> {
  if (!isPlainObject(section)) {
    throw new EngineError('trainer.section', `'${path}' must be a mapping with _target_ and dataset.`, { path });
  }
  const built: Record<string, unknown> = {};
  const build = async (key: string, kwargs?: Readonly<Record<string, unknown>>): Promise<void> => {
    if (section[key] === undefined) return;
    const value = section[key];
    // null is passed on: it means none, and must not be built
    built[key] =
      typeof value === 'object' && value !== null
        ? await port.instantiate(`${path}.${key}`, kwargs && { kwargs })
        : value;
  };
  await build('dataset');
  const source = { data_source: built.dataset };
  await build('sampler', source);
  await build('batch_sampler', await withInnerSampler(path, section.batch_sampler, source, port));
  await build('collate_fn');
  const loader = asLoader(await port.instantiate(path, { kwargs: built }), path);
  const recipe = loaderRecipe(path, section, port);
  if (recipe !== undefined) loader.setWorkerRecipe?.(recipe);
  return loader;
}

/** A sampler inside the batch sampler's own section (torch's BatchSampler) gets the dataset too. */
async function withInnerSampler(
  path: string,
  section: unknown,
  source: Readonly<Record<string, unknown>>,
  port: InstantiatePort,
): Promise<Readonly<Record<string, unknown>>> {
  const inner = isPlainObject(section) ? section.sampler : undefined;
  if (!isPlainObject(inner) || inner._target_ === undefined || inner.data_source !== undefined) return source;
  return { ...source, sampler: await port.instantiate(`${path}.batch_sampler.sampler`, { kwargs: source }) };
}
