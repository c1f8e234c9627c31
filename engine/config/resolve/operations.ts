import { getNode, missingKey } from '../container/access.ts';
import { telling, withPath } from '../container/failure.ts';
import { childFullKey } from '../container/fullKey.ts';
import { ConfigError } from '../errors.ts';
import { parseInterpolation } from '../interpolation/parser.ts';
import type { ConfigKey } from '../node/key.ts';
import type { ConfigNode, ContainerNode } from '../node/node.ts';
import type { ResolveContext } from './context.ts';
import { type MaterializeOptions, materialize } from './materialize.ts';
import type { SelectOptions } from './registry.ts';
import { Resolution } from './resolution.ts';
import { type Dereferenced, isContainer, isMissingValue, valueBehind } from './value.ts';

export interface SelectNodeOptions extends Pick<SelectOptions, 'throwOnMissing' | 'throwOnResolutionFailure'> {
  /** What stands in for a key that is not there or is `???`. */
  readonly default?: ConfigNode;
}

/**
 * A copy of the config in which every interpolation is replaced by its value; `???` stays unless `throwOnMissing`.
 * Throws an InterpolationResolutionError or one of its kin, with the key and where its text was written.
 */
export function resolve(
  config: ContainerNode,
  context: ResolveContext,
  options: MaterializeOptions = {},
): ContainerNode {
  const resolved = materialize(config, dereferencer(context), options);
  if (resolved.kind === 'scalar') throw new Error('Internal error: a container resolved to a scalar');
  return resolved;
}

function dereferencer(context: ResolveContext): (node: ConfigNode) => Dereferenced {
  const resolution = new Resolution(context);
  return (node) => resolution.dereference(node);
}

/** A node with its interpolations followed: a part of the config itself, or a copy of what an interpolation made. */
export function dereference(node: ConfigNode, context: ResolveContext): ConfigNode {
  return asNode(new Resolution(context).dereference(node), dereferencer(context));
}

function asNode(target: Dereferenced, follow: (node: ConfigNode) => Dereferenced): ConfigNode {
  return target.kind === 'result' ? materialize(target.value, follow) : target;
}

/**
 * The node under a dotted key, interpolations on the way and at the end followed; `undefined` when there is none or it
 * is `???` and no default was given. A container is returned as it stands in the config. Throws a
 * MissingMandatoryValue with `throwOnMissing`, and what interpolations throw.
 */
export function select(
  config: ContainerNode,
  key: string,
  context: ResolveContext,
  options: SelectNodeOptions = {},
): ConfigNode | undefined {
  return telling(config, key, () => {
    const found = new Resolution(context).select(config, key, options);
    if (found === undefined || isMissingValue(found)) return options.default;
    return asNode(found, dereferencer(context));
  });
}

/**
 * The value under one key or index, like `config[key]`. Throws ConfigKeyError, ConfigIndexError, MissingMandatoryValue
 * for `???` and what interpolations throw.
 */
export function getItem(config: ContainerNode, key: ConfigKey, context: ResolveContext): ConfigNode {
  return telling(
    config,
    key,
    () => {
      const node = getNode(config, key);
      if (node === undefined) throw config.kind === 'dict' ? missingKey(config, key) : outOfRange();
      if (node.isMissing) {
        throw new ConfigError('MissingMandatoryValue', `Missing mandatory value: ${childFullKey(config, key)}`);
      }
      const resolution = new Resolution(context);
      return asNode(resolution.dereference(node), dereferencer(context));
    },
    { ConfigAttributeError: 'ConfigKeyError' },
  );
}

function outOfRange(): ConfigError {
  return new ConfigError('IndexError', 'list index out of range');
}

/** Replaces every interpolation in the config itself. Throws like `resolve`; then the config is partly resolved. */
export function resolveInPlace(config: ContainerNode, context: ResolveContext): void {
  const resolution = new Resolution(context);
  const resolveContainer = (container: ContainerNode, depth: number): void => {
    refuseTooDeep(container, depth);
    const children = container.kind === 'dict' ? [...container.values()] : [...container.items];
    for (const child of children) {
      if (!child.isInterpolation) {
        if (child.kind !== 'scalar') resolveContainer(child, depth + 1);
        continue;
      }
      const target = resolution.dereference(child);
      if (isContainer(target)) resolveContainer(target, depth + 1);
      replaceChild(container, child, target);
    }
  };
  resolveContainer(config, 0);
}

/** Two containers that interpolate each other would be walked forever. */
const DEEPEST_NESTING = 400;

function refuseTooDeep(container: ContainerNode, depth: number): void {
  if (depth <= DEEPEST_NESTING) return;
  throw new ConfigError('RecursionError', `Interpolations nest deeper than ${DEEPEST_NESTING} levels`, {
    origin: container.origin,
    fullKey: childFullKey(container, undefined),
  });
}

function replaceChild(container: ContainerNode, child: ConfigNode, target: Dereferenced): void {
  const key = child.key ?? '';
  if (container.getFlag('readonly')) {
    const message = isContainer(target)
      ? 'Cannot change read-only config container'
      : 'Cannot set value of read-only config node';
    throw withPath(new ConfigError('ReadonlyConfigError', message), container, key);
  }
  const value = valueBehind(target);
  if (value.kind === 'plain-list' || value.kind === 'plain-dict') {
    const name = value.kind === 'plain-list' ? 'list' : 'dict';
    const error = new ConfigError('UnsupportedValueType', `Value '${name}' is not a supported primitive type`);
    throw withPath(error, container, key);
  }
  if (value.kind === 'scalar' && value.isInterpolation) parseInterpolation(String(value.value), child.origin);
  const copy = value.clone();
  copy.origin = child.origin;
  copy.keyOrigin = child.keyOrigin;
  copy.beat = child.beat;
  if (container.kind === 'dict') container.set(key, copy);
  else container.set(Number(key), copy);
}

/**
 * The dotted keys of all values that are `???`, also where an interpolation leads to one. Throws what other
 * interpolations throw.
 */
export function missingKeys(config: ContainerNode, context: ResolveContext): Set<string> {
  const missing = new Set<string>();
  const resolution = new Resolution(context);
  const gather = (container: ContainerNode, depth: number): void => {
    refuseTooDeep(container, depth);
    for (const child of container.kind === 'dict' ? container.values() : container.items) {
      const key = child.key ?? '';
      if (child.isMissing) {
        missing.add(childFullKey(container, key));
        continue;
      }
      const target = followForMissing(resolution, container, child);
      if (target === undefined) missing.add(childFullKey(container, key));
      else if (isContainer(target)) gather(target, depth + 1);
    }
  };
  gather(config, 0);
  return missing;
}

function followForMissing(
  resolution: Resolution,
  container: ContainerNode,
  child: ConfigNode,
): Dereferenced | undefined {
  try {
    return resolution.dereference(child);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.exception === 'InterpolationToMissingValueError') return undefined;
    throw withPath(error, container, child.key);
  }
}
