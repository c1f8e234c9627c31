import type { ConfigTreeNode, OriginInfo, ValueType } from '../api/configModel.ts';
import { EngineError } from '../api/errors.ts';
import { childFullKey, keyText } from '../config/container/fullKey.ts';
import { losersOf } from '../config/explain/explain.ts';
import type { ConfigNode, ContainerNode, Origin, ScalarNode } from '../config/index.ts';
import { scalarText } from './scalarText.ts';

export interface TreeOptions {
  /** The same config composed without overrides, to tell what they changed. */
  readonly baseline: ConfigNode | undefined;
  /** Follows an interpolation; throws what keeps it from being resolved. */
  readonly resolve: (node: ConfigNode) => ConfigNode;
}

/** The composed config as rows for a person: values, where they come from, what they beat, and what overrides changed. */
export function buildTree(root: ConfigNode, options: TreeOptions): ConfigTreeNode {
  return treeNode(root, '', '', options.baseline, options);
}

/** Origin of every leaf by dotted path. */
export function collectOrigins(root: ConfigNode): Record<string, OriginInfo> {
  const origins: Record<string, OriginInfo> = {};
  const visit = (node: ConfigNode, path: string) => {
    if (node.kind === 'scalar') {
      const origin = originInfo(node);
      if (origin) origins[path] = origin;
      return;
    }
    for (const child of childrenOf(node)) visit(child, childFullKey(node, child.key));
  };
  visit(root, '');
  return origins;
}

/** The origin in the contract's terms; `undefined` where nobody knows. */
export function originInfo(node: ConfigNode): OriginInfo | undefined {
  return node.origin && placeInfo(node.origin, node.kind === 'scalar' ? scalarText(node) : '');
}

/** A place in the contract's terms, with the text that stands there. */
export function placeInfo(origin: Origin, text: string): OriginInfo {
  switch (origin.kind) {
    case 'file':
      return { kind: 'file', file: origin.source, line: origin.line, column: origin.column, text };
    case 'override': {
      const { index, text: override, start, end } = origin;
      return { kind: 'override', index, override, start, end, text: override.slice(start, end) };
    }
    default:
      return { kind: 'builtin', source: origin.by, text };
  }
}

function treeNode(
  node: ConfigNode,
  path: string,
  key: string,
  baseline: ConfigNode | undefined,
  options: TreeOptions,
): ConfigTreeNode {
  const common = { path, key, origin: originInfo(node), beaten: beatenBy(node) };
  if (node.kind === 'scalar') return { ...common, ...scalarRow(node, baseline, options) };
  const old = baseline?.kind === node.kind ? baseline : undefined;
  const children = childrenOf(node).map((child) =>
    treeNode(child, childFullKey(node, child.key), keyText(child.key ?? ''), old && sameChild(old, child), options),
  );
  const isChanged = old === undefined || old.size !== node.size || children.some((child) => child.changed);
  return { ...common, kind: node.kind, children, changed: isChanged };
}

function scalarRow(node: ScalarNode, baseline: ConfigNode | undefined, options: TreeOptions) {
  const text = scalarText(node);
  const before = baseline?.kind === 'scalar' ? scalarText(baseline) : undefined;
  const isChanged = before !== text;
  return {
    kind: 'scalar' as const,
    type: typeOf(node),
    text,
    ...(node.isInterpolation ? resolved(node, options) : {}),
    changed: isChanged,
    ...(isChanged && before !== undefined ? { before } : {}),
  };
}

function resolved(node: ScalarNode, options: TreeOptions): Pick<ConfigTreeNode, 'resolved' | 'resolveError'> {
  try {
    return { resolved: valueText(options.resolve(node)) };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { resolveError: error.message };
  }
}

function typeOf(node: ScalarNode): ValueType {
  if (node.isMissing) return 'missing';
  return node.isInterpolation ? 'interpolation' : node.type;
}

/** Every value that this one replaced, the latest loser first. */
function beatenBy(node: ConfigNode): OriginInfo[] {
  return losersOf(node).flatMap((loser) => originInfo(loser) ?? []);
}

function sameChild(container: ContainerNode, child: ConfigNode): ConfigNode | undefined {
  if (container.kind === 'list') return typeof child.key === 'number' ? container.get(child.key) : undefined;
  return child.key === undefined ? undefined : container.get(child.key);
}

function childrenOf(node: ContainerNode): ConfigNode[] {
  return node.kind === 'list' ? [...node.items] : [...node.values()];
}

const LONGEST_FLOW = 400;

/** A value on one line, cut when it is long. */
function valueText(node: ConfigNode): string {
  const text = flow(node);
  return text.length > LONGEST_FLOW ? `${text.slice(0, LONGEST_FLOW)}…` : text;
}

function flow(node: ConfigNode): string {
  if (node.kind === 'scalar') return scalarText(node);
  const items = childrenOf(node).map((child) => {
    const value = flow(child);
    return node.kind === 'list' ? value : `${keyText(child.key ?? '')}: ${value}`;
  });
  return node.kind === 'list' ? `[${items.join(', ')}]` : `{${items.join(', ')}}`;
}
