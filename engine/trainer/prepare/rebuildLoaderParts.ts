import { type ContainerNode, fromPlain } from '../../config/index.ts';
import { openProjectRuntime, type PortableSection } from '../../instantiate/projectRuntime.ts';
import { dataTargets } from './dataTargets.ts';

interface PortableParts {
  readonly dataset: PortableSection;
  readonly collate_fn: PortableSection | undefined;
}

/** Runs in a worker thread of the DataLoader: builds what `loaderRecipe` described, by the project's own code. */
export async function rebuildLoaderParts(parts: PortableParts): Promise<object> {
  // interpolations are resolved already
  const project = { ...parts.dataset.project, resolversModule: undefined };
  const runtime = await openProjectRuntime(project, { builtins: dataTargets });
  const sections = { dataset: parts.dataset.section, collate_fn: parts.collate_fn?.section ?? null };
  const builder = runtime.builder(fromPlain(sections) as ContainerNode);
  return {
    dataset: await builder.instantiate('dataset'),
    collate_fn: parts.collate_fn === undefined ? undefined : await builder.instantiate('collate_fn'),
  };
}
