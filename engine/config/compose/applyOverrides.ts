import { didYouMean } from '../../base/nearest.ts';
import { keyText } from '../container/fullKey.ts';
import { splitKeyPath } from '../container/keyPath.ts';
import { update } from '../container/update.ts';
import { ConfigError } from '../errors.ts';
import type { Override } from '../grammar/types.ts';
import type { ConfigNode, ContainerNode, DictNode, ListNode } from '../node/node.ts';
import { isPythonInteger, parsePythonInteger } from '../python/number.ts';
import { pythonStr } from '../python/repr.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { select } from '../resolve/operations.ts';
import { Resolution } from '../resolve/resolution.ts';
import { overrideOrigin } from './choices.ts';
import { CompositionError, compositionError } from './compositionError.ts';
import { conformHydraValue } from './hydraSchema.ts';
import { overrideValueNode } from './overrideNode.ts';
import { pythonEqual } from './pythonEquality.ts';

/**
 * Applies the overrides of values, in order, to the merged config. In struct mode a key must exist unless it is added
 * with `+`. Throws Hydra's ConfigCompositionException with what OmegaConf says as its cause.
 */
export function applyOverrides(
  config: DictNode,
  overrides: readonly Override[],
  context: ResolveContext,
  groupHint: (group: string) => string,
): void {
  for (const override of overrides) {
    if (override.package !== undefined) {
      throw compositionError(
        `Override ${override.text} looks like a config group override, but config group '${override.keyOrGroup}' does not exist.`,
        { origin: overrideOrigin(override), hint: groupHint(override.keyOrGroup) },
      );
    }
    try {
      applyOne(config, override, context);
    } catch (error) {
      throw asMergeFailure(error, override);
    }
  }
}

/** Python's own exceptions pass through Hydra as they are; OmegaConf's become failures of the override. */
const PYTHON_EXCEPTIONS = new Set([
  'AssertionError',
  'IndexError',
  'KeyError',
  'RecursionError',
  'TypeError',
  'ValueError',
]);

function asMergeFailure(error: unknown, override: Override): unknown {
  if (!(error instanceof ConfigError) || error instanceof CompositionError) return error;
  if (PYTHON_EXCEPTIONS.has(error.exception)) return error.at(overrideOrigin(override), override.keyOrGroup);
  return compositionError(`Error merging override ${override.text}`, {
    origin: overrideOrigin(override),
    cause: error,
  });
}

function applyOne(config: DictNode, override: Override, context: ResolveContext): void {
  switch (override.type) {
    case 'DEL':
      deleteValue(config, override, context);
      return;
    case 'ADD':
      addValue(config, override, context);
      return;
    case 'FORCE_ADD':
      update(config, override.keyOrGroup, valueFor(override), context, { forceAdd: true });
      return;
    case 'EXTEND_LIST':
      extendList(config, override, context);
      return;
    default:
      changeValue(config, override, context);
  }
}

/** The value, in the form that Hydra's typed node wants when it goes there. */
function valueFor(override: Override): ConfigNode {
  const node = overrideValueNode(override);
  const { keyOrGroup } = override;
  if (keyOrGroup === 'hydra') return conformHydraValue('', node);
  return keyOrGroup.startsWith('hydra.') ? conformHydraValue(keyOrGroup.slice('hydra.'.length), node) : node;
}

function changeValue(config: DictNode, override: Override, context: ResolveContext): void {
  try {
    update(config, override.keyOrGroup, valueFor(override), context);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.exception !== 'ConfigAttributeError' && error.exception !== 'ConfigKeyError') throw error;
    throw compositionError(
      `Could not override '${override.keyOrGroup}'.\nTo append to your config use +${override.text}`,
      {
        origin: overrideOrigin(override),
        cause: error,
        hint: keyHint(config, override.keyOrGroup),
        details: { key: override.keyOrGroup },
      },
    );
  }
}

function addValue(config: DictNode, override: Override, context: ResolveContext): void {
  const { keyOrGroup, value, text } = override;
  const existing = select(config, keyOrGroup, context);
  const isContainer = value?.type === 'dict' || value?.type === 'list';
  if (existing === undefined || existing.isNull || isContainer) {
    update(config, keyOrGroup, valueFor(override), context, { forceAdd: true });
    return;
  }
  throw compositionError(
    `Could not append to config. An item is already at '${keyOrGroup}'.\n` +
      `Either remove + prefix: '${text.slice(1)}'\n` +
      `Or add a second + to add or override '${keyOrGroup}': '+${text}'\n`,
    { origin: overrideOrigin(override), details: { key: keyOrGroup } },
  );
}

function extendList(config: DictNode, override: Override, context: ResolveContext): void {
  const target = select(config, override.keyOrGroup, context, { throwOnMissing: true });
  if (target?.kind !== 'list') {
    const shown = target === undefined ? 'None' : pythonStr(target);
    throw compositionError(
      `Could not append to config list. The existing value of '${override.keyOrGroup}' is ${shown} which is not a list.`,
      { origin: overrideOrigin(override), details: { key: override.keyOrGroup } },
    );
  }
  if (target.getFlag('readonly')) throw new ConfigError('ReadonlyConfigError', 'ListConfig is read-only');
  const added = valueFor(override);
  if (added.kind === 'list') for (const item of added.items) target.push(item.clone());
}

function deleteValue(config: DictNode, override: Override, context: ResolveContext): void {
  const key = override.keyOrGroup;
  const parts = splitKeyPath(key);
  const last = parts.at(-1) ?? '';
  const parent = parts.length < 2 ? config : select(config, key.slice(0, key.lastIndexOf('.')), context);
  const child = parent === undefined ? undefined : childOf(parent, last);
  if (parent === undefined || parent.kind === 'scalar' || child === undefined) {
    throw compositionError(`Could not delete from config. '${key}' does not exist.`, {
      origin: overrideOrigin(override),
      hint: keyHint(config, key),
      details: { key },
    });
  }
  const target = new Resolution(context).dereference(child);
  if (override.value !== undefined) checkDeletedValue(override, target.kind === 'result' ? child : target);
  if (parent.getFlag('readonly'))
    throw new ConfigError('ReadonlyConfigError', 'Cannot delete key from read-only config');
  if (parent.kind === 'dict') parent.delete(last);
  else removeItem(parent, child);
}

function checkDeletedValue(override: Override, current: ConfigNode): void {
  const wanted = overrideValueNode(override);
  if (pythonEqual(wanted, current)) return;
  throw compositionError(
    `Could not delete from config. The value of '${override.keyOrGroup}' is ${pythonStr(current)} and not ${pythonStr(wanted)}.`,
    { origin: overrideOrigin(override), details: { key: override.keyOrGroup } },
  );
}

function childOf(parent: ConfigNode, part: string): ConfigNode | undefined {
  if (parent.kind === 'dict') return parent.get(part);
  if (parent.kind !== 'list' || !isPythonInteger(part)) return undefined;
  const index = Number(parsePythonInteger(part, 10));
  return parent.get(index < 0 ? index + parent.size : index);
}

function removeItem(list: ListNode, item: ConfigNode): void {
  const rest = list.items.filter((other) => other !== item);
  list.items.length = 0;
  for (const other of rest) list.push(other);
}

/** " Did you mean 'x'?" for the first part of the key that is not there. */
function keyHint(config: ContainerNode, key: string): string {
  let node: ConfigNode | undefined = config;
  const before: string[] = [];
  for (const part of splitKeyPath(key)) {
    const child: ConfigNode | undefined = node === undefined ? undefined : childOf(node, part);
    if (child === undefined) {
      const siblings = node?.kind === 'dict' ? [...node.keys()].map((own) => [...before, keyText(own)].join('.')) : [];
      return didYouMean([...before, part].join('.'), siblings);
    }
    node = child;
    before.push(part);
  }
  return '';
}
