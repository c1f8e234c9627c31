import { flattenDefaults } from '../compose/defaultsList.ts';
import { type DefaultsTreeNode, ROOT } from '../compose/defaultsTree.ts';
import { type PreparedComposition, prepareComposition } from '../compose/prepare.ts';
import type { ComposeRequest } from '../compose/request.ts';
import { heading, table } from './table.ts';

/** `--info searchpath`: who put which place on the search path, in order. */
export function searchPathInfo(prepared: Pick<PreparedComposition, 'repository'>): string {
  const rows = prepared.repository.sources.map((source) => [source.provider, source.url]);
  return `${heading('Config search path')}${table(['Provider', 'Search path'], rows)}`;
}

/** `--info defaults-tree`: which config includes which, indented. */
export function defaultsTreeInfo(prepared: Pick<PreparedComposition, 'tree'>): string {
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
export function defaultsInfo(prepared: Pick<PreparedComposition, 'tree'>): string {
  const rows = flattenDefaults(prepared.tree).map((item) => [
    item.configPath,
    item.package,
    item.isSelf ? 'True' : 'False',
    item.parent ?? '',
  ]);
  return `${heading('Defaults List')}${table(['Config path', 'Package', '_self_', 'Parent'], rows)}`;
}

/** What of `--info` needs no composed config. Throws what preparing the composition does. */
export function defaultsAndSearchPathInfo(request: ComposeRequest): string {
  const prepared = prepareComposition(request);
  return [searchPathInfo(prepared), defaultsTreeInfo(prepared), defaultsInfo(prepared)].join('\n');
}
