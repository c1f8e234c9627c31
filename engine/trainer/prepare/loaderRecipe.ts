import type { WorkerRecipe } from '../../data/index.ts';
import type { InstantiatePort, PortableSection } from './instantiatePort.ts';

/** What a worker thread is told to build, by `rebuildLoaderParts`. */
export interface LoaderParts {
  readonly dataset: PortableSection;
  readonly collate_fn: PortableSection | undefined;
}

/**
 * How a worker thread makes the dataset (and collate_fn) of a dataloader section again: from the section's own config,
 * resolved here, so that resolvers run once. Undefined when the section's objects were not built from config.
 */
export function loaderRecipe(
  path: string,
  section: Readonly<Record<string, unknown>>,
  port: InstantiatePort,
): WorkerRecipe | undefined {
  if (!port.portable || !isSection(section.dataset) || !isNumber(section.num_workers)) return undefined;
  const argument: LoaderParts = {
    dataset: port.portable(`${path}.dataset`),
    collate_fn: isSection(section.collate_fn) ? port.portable(`${path}.collate_fn`) : undefined,
  };
  const module = new URL('./rebuildLoaderParts.ts', import.meta.url).href;
  return { module, export: 'rebuildLoaderParts', argument };
}

function isSection(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}
