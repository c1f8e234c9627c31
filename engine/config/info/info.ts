import { type Composition, compose } from '../compose/compose.ts';
import { flattenDefaults } from '../compose/defaultsList.ts';
import { type DefaultsTreeNode, ROOT } from '../compose/defaultsTree.ts';
import { HYDRA_VERSION } from '../compose/hydraNode.ts';
import { type PreparedComposition, prepareComposition } from '../compose/prepare.ts';
import type { ComposeRequest } from '../compose/request.ts';
import { splitKeyPath } from '../container/keyPath.ts';
import { ConfigError } from '../errors.ts';
import { leavesOf } from '../explain/explain.ts';
import { DictNode, MISSING, ScalarNode } from '../node/node.ts';
import { pythonStr } from '../python/repr.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { dereference, resolve, select } from '../resolve/operations.ts';
import { toYaml } from '../yaml/emit/toYaml.ts';
import { heading, table } from './table.ts';

/** `--info searchpath`: who put which place on the search path, in order. */
function searchPathInfo(prepared: Pick<PreparedComposition, 'repository'>): string {
  const rows = prepared.repository.sources.map((source) => [source.provider, source.url]);
  return `\n${heading('Config search path')}${table(['Provider', 'Search path'], rows)}`;
}

/** `--info defaults-tree`: which config includes which, indented. */
function defaultsTreeInfo(prepared: Pick<PreparedComposition, 'tree'>): string {
  return `\n${heading('Defaults Tree')}${treeLines(prepared.tree, 0).join('\n')}\n`;
}

function treeLines(node: DefaultsTreeNode, depth: number): readonly string[] {
  const name = `${'  '.repeat(depth)}${nodeName(node)}`;
  if (node.children === undefined || node.children.length === 0) return [name];
  return [`${name}:`, ...node.children.flatMap((child) => treeLines(child, depth + 1))];
}

function nodeName({ item }: DefaultsTreeNode): string {
  if (item === ROOT) return '<root>';
  if (item.kind === 'group') return `${item.overrideKey()}: ${item.name() ?? 'null'}`;
  return item.isSelf ? '_self_' : item.configPath();
}

/** `--info defaults`: the final defaults list in the order in which it is merged. */
function defaultsInfo(prepared: Pick<PreparedComposition, 'tree'>): string {
  const rows = flattenDefaults(prepared.tree).map((item) => [
    item.configPath,
    item.package,
    item.isSelf ? 'True' : 'False',
    item.parent ?? '',
  ]);
  return `\n${heading('Defaults List')}${table(['Config path', 'Package', '_self_', 'Parent'], rows, '| ')}`;
}

export type InfoTopic = 'all' | 'config' | 'defaults' | 'defaults-tree' | 'searchpath';

export const INFO_TOPICS: readonly InfoTopic[] = ['all', 'config', 'defaults', 'defaults-tree', 'searchpath'];

/**
 * The text of `--info TOPIC`, as Hydra prints it: `config` is the search path, the tree, the list and the config, `all`
 * names the version before. Hydra's plugins are not listed, for there are none. Throws what composing does; all but
 * `config` and `all` only work out the defaults list.
 */
export function infoText(request: ComposeRequest, topic: InfoTopic): string {
  switch (topic) {
    case 'searchpath':
      return searchPathInfo(prepareComposition(request));
    case 'defaults-tree':
      return defaultsTreeInfo(prepareComposition(request));
    case 'defaults':
      return defaultsInfo(prepareComposition(request));
    case 'config':
      return configInfo(compose(request));
    default:
      return `${heading(`Hydra ${HYDRA_VERSION}`, '=')}${configInfo(compose(request))}`;
  }
}

function configInfo({ config, prepared }: Composition): string {
  return [
    searchPathInfo(prepared),
    defaultsTreeInfo(prepared),
    defaultsInfo(prepared),
    `${heading('Config')}${toYaml(config)}\n`,
  ].join('');
}

export interface ConfigTextOptions {
  /** The job's config, Hydra's node, or both. */
  readonly part: 'all' | 'hydra' | 'job';
  /** Only what stands at this path; `_global_` is everything. */
  readonly package?: string | undefined;
  readonly resolve?: boolean;
}

/**
 * The text of `--cfg`, with `--package` and `--resolve`. Throws a ConfigKeyError for a package that is not there and
 * what resolving throws.
 */
export function configText(composition: Composition, options: ConfigTextOptions): string {
  const { context } = composition;
  const { part, resolve: isResolved } = options;
  const root = part === 'job' ? composition.config : printedHydra(composition, options);
  const packageName = options.package === '_global_' ? undefined : options.package;
  // Hydra's node is resolved at its place, where it may refer to the job's keys.
  const path = packageName ?? (part === 'hydra' ? 'hydra' : undefined);
  if (path === undefined) return toYaml(isResolved === true ? resolve(root, context) : root);
  const isElsewhere = part === 'hydra' && splitKeyPath(path)[0] !== 'hydra';
  const node = isElsewhere ? undefined : select(root, path, context);
  if (node === undefined) {
    throw new ConfigError('ConfigKeyError', `package '${path}' not found in config`, { fullKey: path });
  }
  if (node.kind === 'scalar') return `${pythonStr(node)}\n`;
  const shown = isResolved === true ? resolve(node, context) : node.clone();
  return packageName === undefined ? toYaml(new DictNode([['hydra', shown]])) : `# @package ${path}\n${toYaml(shown)}`;
}

/** The job's config and Hydra's node; that alone goes without its own help texts, as in Hydra. */
function printedHydra({ withHydra, context }: Composition, options: ConfigTextOptions): DictNode {
  const root = options.resolve === true ? withoutOpenValues(withHydra, context) : withHydra.clone();
  const hydra = root.get('hydra');
  if (options.part === 'hydra' && hydra?.kind === 'dict') for (const key of ['hydra_help', 'help']) hydra.delete(key);
  return root;
}

/** Hydra's node names values that only a job has, as its number: what refers to them is as open as they are. */
function withoutOpenValues(root: DictNode, context: ResolveContext): DictNode {
  const copy = root.clone();
  const hydra = copy.get('hydra');
  if (hydra === undefined || hydra.kind === 'scalar') return copy;
  for (const leaf of [...leavesOf(hydra)]) {
    if (!leaf.isInterpolation || leaf.parent?.kind !== 'dict' || leaf.key === undefined) continue;
    try {
      dereference(leaf, context);
    } catch (error) {
      if (!(error instanceof ConfigError) || error.exception !== 'InterpolationToMissingValueError') throw error;
      leaf.parent.set(leaf.key, new ScalarNode('str', MISSING));
    }
  }
  return copy;
}
