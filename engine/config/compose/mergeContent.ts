import { fullKeyOf } from '../container/fullKey.ts';
import { ConfigError } from '../errors.ts';
import { type ConfigNode, type DictNode, ListNode } from '../node/node.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { Resolution } from '../resolve/resolution.ts';
import { isContainer } from '../resolve/value.ts';

/**
 * Merges a file's content into the config, as `mergeWith` does where no flags are set: composing merges before any flag
 * is, and this runs for every node of every file. What is replaced stays as `beat` of what replaces it where losers are
 * kept.
 */
export function mergeContent(target: DictNode, source: DictNode, context: ResolveContext, keepsLosers = true): void {
  for (const node of source.values()) {
    const key = node.key ?? '';
    let existing = target.get(key);
    if (existing === undefined) {
      target.set(key, node.clone());
      continue;
    }
    // A plain value replaces an interpolation unread; anything else is merged into a copy of what stands behind it.
    if (existing.isInterpolation && (node.kind !== 'scalar' || node.isMissing)) {
      existing = expand(target, existing, context, keepsLosers);
    }
    if (node.kind === 'scalar') {
      if (!node.isMissing) replace(target, existing, node.clone(), keepsLosers);
    } else if (existing.kind === 'scalar') {
      replace(target, existing, node.clone(), keepsLosers);
    } else if (existing.kind === 'dict' && node.kind === 'dict') {
      mergeContent(existing, node, context, keepsLosers);
    } else if (existing.kind === 'list' && node.kind === 'list') {
      const list = new ListNode([], node.origin);
      for (const item of node.items) list.push(item.clone());
      list.keyOrigin = node.keyOrigin;
      replace(target, existing, list, keepsLosers);
    } else {
      const fullKey = fullKeyOf(existing);
      throw new ConfigError('ConfigTypeError', `Cannot merge incompatible container types\n    full_key: ${fullKey}`, {
        origin: node.origin,
        fullKey,
        tellsPath: true,
      });
    }
  }
}

function replace(target: DictNode, existing: ConfigNode, node: ConfigNode, keepsLoser: boolean): void {
  if (keepsLoser) node.beat = existing;
  target.set(existing.key ?? '', node);
}

function expand(target: DictNode, existing: ConfigNode, context: ResolveContext, keepsLosers: boolean): ConfigNode {
  const behind = new Resolution(context).tryDereference(existing);
  if (behind === undefined || !isContainer(behind)) return existing;
  const copy = behind.clone();
  copy.keyOrigin = existing.keyOrigin;
  replace(target, existing, copy, keepsLosers);
  return copy;
}
