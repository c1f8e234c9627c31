import type { ConfigTreeNode } from '../../../engine/api/configModel.ts';

export interface TreeRow {
  readonly node: ConfigTreeNode;
  readonly depth: number;
  readonly branch: boolean;
  readonly open: boolean;
}

export interface TreeView {
  readonly collapsed: ReadonlySet<string>;
  readonly filter: string;
  readonly onlyChanged: boolean;
}

/** The rows to draw, in order. While filtering, ancestors of a match stay and everything is open. */
export function flatten(root: ConfigTreeNode, view: TreeView): TreeRow[] {
  const wanted = view.filter.trim().toLowerCase();
  const filtering = wanted !== '' || view.onlyChanged;
  const rows: TreeRow[] = [];
  const visit = (node: ConfigTreeNode, depth: number, parentMatches: boolean): boolean => {
    const matches = parentMatches || (wanted !== '' && matchesText(node, wanted));
    const children = node.children ?? [];
    const branch = node.kind !== 'scalar' && children.length > 0;
    const open = branch && (filtering || !view.collapsed.has(node.path));
    const at = rows.length;
    rows.push({ node, depth, branch, open });
    let kept = (wanted === '' || matches) && (!view.onlyChanged || (node.changed && !branch));
    if (open) {
      for (const child of children) kept = visit(child, depth + 1, matches && wanted !== '') || kept;
    }
    if (filtering && !kept) rows.length = at;
    return kept;
  };
  for (const child of root.children ?? []) visit(child, 0, false);
  return rows;
}

function matchesText(node: ConfigTreeNode, wanted: string): boolean {
  return (
    node.path.toLowerCase().includes(wanted) ||
    (node.text ?? '').toLowerCase().includes(wanted) ||
    (node.resolved ?? '').toLowerCase().includes(wanted)
  );
}
