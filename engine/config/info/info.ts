import { type Composition, compose } from '../compose/compose.ts';
import { flattenDefaults } from '../compose/defaultsList.ts';
import { type DefaultsTreeNode, ROOT } from '../compose/defaultsTree.ts';
import { type PreparedComposition, prepareComposition } from '../compose/prepare.ts';
import type { ComposeRequest } from '../compose/request.ts';
import { ConfigError } from '../errors.ts';
import { DictNode } from '../node/node.ts';
import { pythonStr } from '../python/repr.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { resolve, select } from '../resolve/operations.ts';
import { toYaml } from '../yaml/emit/toYaml.ts';
import { heading, table } from './table.ts';

/** `--info searchpath`: who put which place on the search path, in order. */
function searchPathInfo(prepared: Pick<PreparedComposition, 'repository'>): string {
  const rows = prepared.repository.sources.map((source) => [source.provider, source.url]);
  return `${heading('Config search path')}${table(['Provider', 'Search path'], rows)}`;
}

/** `--info defaults-tree`: which config includes which, indented. */
function defaultsTreeInfo(prepared: Pick<PreparedComposition, 'tree'>): string {
  return `${heading('Defaults Tree')}${treeLines(prepared.tree, 0).join('\n')}\n`;
}

function treeLines(node: DefaultsTreeNode, depth: number): readonly string[] {
  const name = `${'  '.repeat(depth)}${nodeName(node)}`;
  if (node.children === undefined) return [name];
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
  return `${heading('Defaults List')}${table(['Config path', 'Package', '_self_', 'Parent'], rows)}`;
}

export type InfoTopic = 'all' | 'config' | 'defaults' | 'defaults-tree' | 'searchpath';

export const INFO_TOPICS: readonly InfoTopic[] = ['all', 'config', 'defaults', 'defaults-tree', 'searchpath'];

/** The text of `--info TOPIC`. Throws what composing does; all but `config` and `all` only work out the defaults list. */
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
    default: {
      const composition = compose(request);
      const { prepared } = composition;
      return [
        searchPathInfo(prepared),
        defaultsTreeInfo(prepared),
        defaultsInfo(prepared),
        configInfo(composition),
      ].join('\n');
    }
  }
}

/** `--info config`: the job's config as YAML. */
function configInfo({ config }: Composition): string {
  return `${heading('Config')}${toYaml(config)}`;
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
  const root = options.part === 'job' ? composition.config : composition.withHydra;
  const packageName = options.package === '_global_' ? undefined : options.package;
  if (packageName === undefined) return wholeText(root, options, context);
  const node = select(root, packageName, context);
  if (node === undefined) {
    throw new ConfigError('ConfigKeyError', `package '${packageName}' not found in config`, { fullKey: packageName });
  }
  if (node.kind === 'scalar') return `${pythonStr(node)}\n`;
  return `# @package ${packageName}\n${toYaml(options.resolve === true ? resolve(node, context) : node)}`;
}

function wholeText(root: DictNode, { part, resolve: isResolved }: ConfigTextOptions, context: ResolveContext): string {
  if (part !== 'hydra') return toYaml(isResolved === true ? resolve(root, context) : root);
  // Resolved at its place, where it may refer to the job's keys.
  const hydra = root.get('hydra');
  if (hydra === undefined || hydra.kind === 'scalar') return toYaml(new DictNode());
  return toYaml(new DictNode([['hydra', isResolved === true ? resolve(hydra, context) : hydra.clone()]]));
}
