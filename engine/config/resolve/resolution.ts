import { childFullKey, fullKeyOf } from '../container/fullKey.ts';
import { splitKeyPath } from '../container/keyPath.ts';
import { ConfigError, isResolutionError } from '../errors.ts';
import type { Expression } from '../interpolation/ast.ts';
import { parseElement, parseInterpolation } from '../interpolation/parser.ts';
import type { ConfigNode, ContainerNode } from '../node/node.ts';
import { toPlain } from '../node/plain.ts';
import { isPythonInteger, parsePythonInteger } from '../python/number.ts';
import { pythonReprOf } from '../python/repr.ts';
import type { ResolveContext } from './context.ts';
import { evaluate } from './evaluate.ts';
import { materialize } from './materialize.ts';
import type { RegisteredResolver, ResolverCall, SelectOptions } from './registry.ts';
import { type Dereferenced, isContainer, type Value, valueBehind } from './value.ts';

interface Place {
  readonly parent: ContainerNode;
  readonly node: Dereferenced | undefined;
}

/** How many interpolations may lead from one to the next; Python's own stack ends earlier than ours. */
const LONGEST_CHAIN = 200;
/** How many interpolations one question may follow in all: texts that double each other grow without bound. */
const MOST_EVALUATIONS = 500_000;

type Memo = Set<ConfigNode>;

/** Follows interpolations in one context. Its methods call each other the way OmegaConf's do. */
export class Resolution {
  readonly context: ResolveContext;
  #depth = 0;
  #evaluations = 0;

  constructor(context: ResolveContext) {
    this.context = context;
  }

  /** The node or value behind a node; the node itself when it holds no interpolation. */
  dereference(node: ConfigNode): Dereferenced {
    const result = this.#dereference(node, true, new Set());
    if (result === undefined) throw new Error('Internal error: a resolution failed without an error');
    return result;
  }

  /** Like `dereference`, but undefined when the interpolation cannot be resolved. */
  tryDereference(node: ConfigNode): Dereferenced | undefined {
    return this.#dereference(node, false, new Set());
  }

  /** The node for a key, or undefined when there is none. Throws what resolving on the way throws, and TypeErrors. */
  select(from: ContainerNode, key: string, options: SelectOptions = {}): Dereferenced | undefined {
    const { absolute = false, throwOnMissing = false, throwOnResolutionFailure = true } = options;
    try {
      const start = this.#startOf(from, absolute || key.startsWith('.') ? key : `.${key}`);
      return this.#select(start.root, start.key, throwOnMissing, throwOnResolutionFailure, undefined)?.node;
    } catch (error) {
      const leadsNowhere =
        error instanceof ConfigError && ['ConfigTypeError', 'ConfigKeyError'].includes(error.exception);
      if (leadsNowhere) return undefined;
      throw error;
    }
  }

  #dereference(node: ConfigNode, throwOnFailure: boolean, memo: Memo | undefined): Dereferenced | undefined {
    if (!node.isInterpolation) return node;
    if (node.parent === undefined) {
      if (!throwOnFailure) return undefined;
      throw new ConfigError(
        'InterpolationResolutionError',
        'Cannot resolve interpolation for a node without a parent',
      ).at(node.origin, '');
    }
    return this.#resolveInterpolation(node.parent, node, throwOnFailure, memo);
  }

  #resolveInterpolation(
    parent: ContainerNode,
    node: ConfigNode,
    throwOnFailure: boolean,
    memo: Memo | undefined,
  ): Dereferenced | undefined {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return node;
    const expression = parseInterpolation(node.value, node.origin);
    try {
      const result = this.#evaluate(expression, parent, node, memo);
      return result.kind === 'result' && result.of === undefined ? { ...result, of: node } : result;
    } catch (error) {
      if (!isResolutionError(error)) throw error;
      if (!throwOnFailure) return undefined;
      const path = fullKeyOf(node);
      throw error.at(node.origin, path).through({ path, text: node.value, origin: node.origin });
    }
  }

  #evaluate(expression: Expression, parent: ContainerNode, node: ConfigNode, memo: Memo | undefined): Dereferenced {
    this.#depth += 1;
    this.#evaluations += 1;
    try {
      if (this.#depth > LONGEST_CHAIN) {
        throw new ConfigError('RecursionError', `an interpolation leads through more than ${LONGEST_CHAIN} others`);
      }
      if (this.#evaluations > MOST_EVALUATIONS) {
        throw new ConfigError('RecursionError', `more than ${MOST_EVALUATIONS} interpolations had to be followed`);
      }
      return evaluate(expression, {
        node: (key) => this.#followKey(parent, key, memo),
        resolver: (name, args) => this.#callResolver(name, args, parent, node),
        warn: (message) => this.context.warn(message),
      });
    } catch (error) {
      if (isResolutionError(error)) throw error;
      const name = error instanceof ConfigError ? error.exception : error instanceof Error ? error.name : 'Error';
      const message = error instanceof Error ? error.message : String(error);
      throw new ConfigError(
        'InterpolationResolutionError',
        `${name} raised while resolving interpolation: ${message}`,
        {
          cause: error,
        },
      );
    } finally {
      this.#depth -= 1;
    }
  }

  /** The node that `${key}` means in a container. */
  #followKey(from: ContainerNode, key: string, memo: Memo | undefined): Dereferenced {
    const start = this.#startForInterpolation(from, key);
    let place: Place | undefined;
    try {
      place = this.#select(start.root, start.key, true, true, memo);
    } catch (error) {
      if (!(error instanceof ConfigError) || error.exception !== 'MissingMandatoryValue') throw error;
      throw new ConfigError(
        'InterpolationToMissingValueError',
        `MissingMandatoryValue while resolving interpolation: ${error.message}`,
        { cause: error },
      );
    }
    if (place?.node === undefined) {
      const resolved = key.startsWith('.')
        ? ` (resolved to '${joinKey(childFullKey(start.root, undefined), start.key)}')`
        : '';
      throw new ConfigError('InterpolationKeyError', `Interpolation key '${key}' not found${resolved}`);
    }
    refuseOwnAncestor(from, place.node);
    return place.node;
  }

  #startForInterpolation(from: ContainerNode, key: string): { readonly root: ContainerNode; readonly key: string } {
    try {
      return this.#startOf(from, key);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new ConfigError('InterpolationKeyError', `ConfigKeyError while resolving interpolation: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** Leading dots: one means the container itself, each further one a level up; none means the root. */
  #startOf(from: ContainerNode, key: string): { readonly root: ContainerNode; readonly key: string } {
    if (!key.startsWith('.')) return { root: rootOf(from), key };
    let root: ContainerNode | undefined = from;
    let rest = key.slice(1);
    while (rest.startsWith('.')) {
      root = root?.parent;
      if (root === undefined) throw new ConfigError('ConfigKeyError', `Error resolving key '${key}'`);
      rest = rest.slice(1);
    }
    return { root, key: rest };
  }

  #select(
    from: ContainerNode,
    key: string,
    throwOnMissing: boolean,
    throwOnFailure: boolean,
    memo: Memo | undefined,
  ): Place | undefined {
    if (key === '') return { parent: from, node: from };
    const parts = splitKeyPath(key);
    let parent = from;
    for (let at = 0; at < parts.length - 1; at++) {
      const child = selectOne(parent, parts[at] ?? '', throwOnMissing, throwOnFailure);
      const target = child === undefined ? undefined : this.#dereference(child, throwOnFailure, memo);
      if (target === undefined) return undefined;
      if (!isContainer(target)) {
        throw new ConfigError(
          'ConfigTypeError',
          `Error trying to access ${key}: node \`${parts.slice(0, at + 1).join('.')}\` is not a container and thus ` +
            `cannot contain \`${parts[at + 1]}\``,
        );
      }
      parent = target;
    }
    const last = selectOne(parent, parts.at(-1) ?? '', throwOnMissing, throwOnFailure);
    if (last === undefined) return { parent, node: undefined };
    return { parent, node: this.#followLast(parent, last, throwOnFailure, memo) };
  }

  #followLast(
    parent: ContainerNode,
    node: ConfigNode,
    throwOnFailure: boolean,
    memo: Memo | undefined,
  ): Dereferenced | undefined {
    if (memo?.has(node)) throw new ConfigError('InterpolationResolutionError', 'Recursive interpolation detected');
    if (!node.isInterpolation) return node;
    memo?.add(node);
    try {
      return this.#resolveInterpolation(parent, node, throwOnFailure, memo ?? new Set());
    } finally {
      memo?.delete(node);
    }
  }

  #callResolver(name: string, args: readonly Value[], parent: ContainerNode, node: ConfigNode): Value {
    const resolver = this.context.resolvers.get(name);
    if (resolver === undefined) {
      throw new ConfigError('UnsupportedInterpolationType', `Unsupported interpolation type ${name}`);
    }
    if (!resolver.useCache) return this.#invoke(resolver, args, parent, node);
    const root = rootOf(parent);
    const key = `${name}:${args.map((arg) => pythonReprOf(arg)).join(',')}`;
    const known = this.context.cached(root, key);
    if (known !== undefined) return known;
    const value = this.#invoke(resolver, args, parent, node);
    this.context.remember(root, key, value);
    return value;
  }

  #invoke(resolver: RegisteredResolver, args: readonly Value[], parent: ContainerNode, node: ConfigNode): Value {
    const call: ResolverCall = {
      parent,
      root: rootOf(parent),
      node,
      env: this.context.env,
      now: this.context.now,
      select: (key, options) => this.select(parent, key, options),
      decode: (text) => valueBehind(this.#evaluate(parseElement(text), parent, node, undefined)),
      plain: (value) => toPlain(materialize(value, (target) => this.dereference(target))),
      warn: (message) => this.context.warn(message),
    };
    return resolver.resolve(args, call);
  }
}

/** The child for one part of a key; undefined when there is none. */
function selectOne(
  container: ContainerNode,
  part: string,
  throwOnMissing: boolean,
  throwOnTypeError: boolean,
): ConfigNode | undefined {
  const child = container.kind === 'dict' ? container.get(part) : listItem(container, part, throwOnTypeError);
  if (child?.isMissing && throwOnMissing) {
    throw new ConfigError('MissingMandatoryValue', `Missing mandatory value: ${fullKeyOf(child)}`, {
      origin: child.origin,
      fullKey: fullKeyOf(child),
    });
  }
  return child;
}

function listItem(
  list: ContainerNode & { readonly kind: 'list' },
  part: string,
  throwOnTypeError: boolean,
): ConfigNode | undefined {
  if (!isPythonInteger(part)) {
    if (!throwOnTypeError) return undefined;
    throw new ConfigError('TypeError', `Index '${part}' (str) is not an int`);
  }
  const index = Number(parsePythonInteger(part, 10));
  return list.get(index < 0 ? index + list.size : index);
}

/** The topmost container. */
export function rootOf(node: ContainerNode): ContainerNode {
  let root = node;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

function refuseOwnAncestor(from: ContainerNode, target: Dereferenced): void {
  for (let node: ContainerNode | undefined = from; node !== undefined; node = node.parent) {
    if (node === target) {
      throw new ConfigError('InterpolationResolutionError', 'Interpolation to parent node detected');
    }
  }
}

function joinKey(path: string, key: string): string {
  return path === '' || key.startsWith('[') ? `${path}${key}` : `${path}.${key}`;
}
