import {
  ConfigError,
  type ConfigKey,
  type ConfigNode,
  type DictNode,
  fromPlain,
  fullKeyOf,
  type ListNode,
} from '../config/index.ts';
import { applyCallOverrides, type CallOverrides, checkOverride, isConfigNode, type RuntimeValues } from './callSite.ts';
import type { ConfigAccess } from './configAccess.ts';
import { Built, buildDict, buildList, containerInfo, toPlainContainer } from './containers.ts';
import { describeType, describeValue } from './describe.ts';
import { describeThrown, InstantiateError } from './errors.ts';
import { type Invoke, invokeJavaScript, isCallable, type TargetCall } from './invoke.ts';
import type { LocatedTarget, TargetLocator } from './locate/locatedTarget.ts';
import { findTarget, notCallable } from './targetFinder.ts';
import { userFrame } from './userFrame.ts';
import { type CheckedWhitelist, checkWhitelist, type TargetWhitelist } from './whitelist.ts';

export interface InstantiateOptions {
  readonly locator: TargetLocator;
  readonly access: ConfigAccess;
  /** Positional arguments given at the call; they replace `_args_`. */
  readonly args?: readonly unknown[];
  /** Keyword arguments given at the call; `_target_`, `_convert_`, `_recursive_` and `_partial_` may be among them. */
  readonly kwargs?: Readonly<Record<string, unknown>> | CallOverrides;
  readonly targetWhitelist?: TargetWhitelist | undefined;
  /** How targets are called; JavaScript's convention unless something else is given. */
  readonly invoke?: Invoke;
}

/** What a node inherits from the one around it. */
interface Mode {
  /** 'all', 'partial' and 'object' pass plain containers; anything else passes config containers. */
  readonly convert: unknown;
  readonly recursive: unknown;
}

interface CallSite {
  readonly args: readonly unknown[];
  readonly overrides: CallOverrides;
}

/**
 * Builds what a config describes, by Hydra's rules: a mapping with `_target_` becomes the result of calling the target,
 * nested ones first; other mappings and lists keep their shape. Interpolations are resolved against the whole tree that
 * the node stands in. Promises that targets return are awaited, one target after the other in the order of the config.
 * Throws InstantiateError (key, place in the YAML, cause) or the ConfigError of a value that cannot be resolved.
 */
export async function instantiate(config: unknown, options: InstantiateOptions): Promise<unknown> {
  return (await instantiateBuilt(config, options)).value;
}

/** `instantiate` for a caller that tells 1 from 1.0: a scalar result comes with its node. */
export async function instantiateBuilt(config: unknown, options: InstantiateOptions): Promise<Built> {
  const whitelist = checkWhitelist(options.targetWhitelist);
  const overrides = new Map(options.kwargs instanceof Map ? options.kwargs : Object.entries(options.kwargs ?? {}));
  const args = options.args ?? [];
  for (const [index, value] of args.entries()) checkOverride(value, `_args_.${index}`);

  const node = rootNode(config);
  if (node === undefined || node.isNull) return new Built(null, node);
  const walk = new Instantiation(options, whitelist);
  if (node.kind === 'list') return walk.rootList(node, overrides);
  if (node.kind === 'dict') return walk.rootDict(node, { args, overrides });
  throw new InstantiateError(
    'config-invalid',
    `Cannot instantiate config of type ${describeType(node)}.\n` +
      'It must be a mapping or a list: a node of a composed config, or plain values.',
    { fullKey: fullKeyOf(node), origin: node.origin },
  );
}

function rootNode(config: unknown): ConfigNode | undefined {
  if (config === undefined) return undefined;
  if (isConfigNode(config)) return config;
  return containerInfo(config)?.node ?? fromPlain(config);
}

class Instantiation {
  readonly #options: InstantiateOptions;
  readonly #whitelist: CheckedWhitelist;
  readonly #runtime: RuntimeValues = new WeakMap();

  constructor(options: InstantiateOptions, whitelist: CheckedWhitelist) {
    this.#options = options;
    this.#whitelist = whitelist;
  }

  async rootList(node: ListNode, overrides: CallOverrides): Promise<Built> {
    if (overrides.get('_partial_') === true) {
      const message = 'The _partial_ keyword is not compatible with top-level list instantiation';
      throw new InstantiateError('config-invalid', message, { fullKey: fullKeyOf(node), origin: node.origin });
    }
    const convert = overrides.get('_convert_') ?? 'none';
    return this.#list(node, { convert, recursive: overrides.get('_recursive_') ?? true });
  }

  async rootDict(node: DictNode, site: CallSite): Promise<Built> {
    const tree =
      site.overrides.size === 0 ? node : applyCallOverrides(node, site.overrides, this.#options.access, this.#runtime);
    return this.#dict(tree, { convert: 'none', recursive: true }, site);
  }

  async #value(node: ConfigNode, mode: Mode): Promise<Built> {
    const resolved = this.#required(node);
    if (resolved.kind === 'scalar') return this.#scalar(resolved);
    return resolved.kind === 'list' ? this.#list(resolved, mode) : this.#dict(resolved, mode);
  }

  async #list(node: ListNode, mode: Mode): Promise<Built> {
    checkFlag('_recursive_', mode.recursive, node);
    const items: Built[] = [];
    for (const item of node.items) items.push(await this.#value(item, mode));
    return buildList(items, node, !isPlainMode(mode.convert));
  }

  async #dict(node: DictNode, inherited: Mode, site?: CallSite): Promise<Built> {
    const mode = {
      convert: this.#control(node, '_convert_', inherited.convert),
      recursive: this.#control(node, '_recursive_', inherited.recursive),
    };
    const partial = this.#control(node, '_partial_', false);
    checkFlag('_recursive_', mode.recursive, node);
    checkFlag('_partial_', partial, node);
    const whitelist = node.get('_target_whitelist_');
    if (whitelist !== undefined) {
      const message =
        '_target_whitelist_ must be passed to instantiate() from trusted code, not configured inside the config being instantiated.';
      throw new InstantiateError('whitelist-invalid', message, { fullKey: fullKeyOf(node), origin: whitelist.origin });
    }
    if (node.has('_target_')) return this.#target(node, mode, partial === true, site);

    const entries: [ConfigKey, Built][] = [];
    for (const [key, child] of node.entries()) {
      // At the root the flags were meant for this call; further down they are data of the mapping.
      if (site !== undefined && isControl(key)) continue;
      entries.push([key, await this.#parameter(child, mode, false, site)]);
    }
    return buildDict(entries, node, !isPlainMode(mode.convert));
  }

  async #target(node: DictNode, mode: Mode, partial: boolean, site: CallSite | undefined): Promise<Built> {
    const target = await this.#locate(node);
    let configured: Built | undefined;
    const kwargs: [ConfigKey, Built][] = [];
    for (const [key, child] of node.entries()) {
      if (isControl(key) || (partial && child.isMissing)) continue;
      const built = await this.#parameter(child, mode, true, site);
      const passed = isPlainMode(mode.convert) ? toPlainContainer(built) : built;
      if (key === '_args_') configured = passed;
      else kwargs.push([key, passed]);
    }
    const args = this.#positional(node, target, configured, site?.args ?? []);
    return this.#call(node, { target, args, kwargs, partial });
  }

  /** What a target or a mapping gets for a key; a value given at the call passes as it is where nothing is built. */
  async #parameter(node: ConfigNode, mode: Mode, isTargetParameter: boolean, site?: CallSite): Promise<Built> {
    if (mode.recursive === true) return this.#value(node, mode);
    if (typeof node.key === 'string' && site?.overrides.has(node.key)) {
      const isMerged = node.kind === 'dict' && (!isTargetParameter || node.has('_target_'));
      if (!isMerged) return this.#given(site.overrides.get(node.key));
    }
    return this.#view(this.#required(node), !isPlainMode(mode.convert), new Set());
  }

  #given(value: unknown): Built {
    return isConfigNode(value) ? this.#view(value, true, new Set()) : new Built(value);
  }

  /** The config as it stands, with interpolations resolved and nothing built; '???' may stay inside it. */
  #view(node: ConfigNode, isConfig: boolean, open: ReadonlySet<ConfigNode>): Built {
    const resolved = this.#options.access.resolve(node);
    if (resolved.kind === 'scalar') return this.#scalar(resolved);
    if (open.has(resolved)) {
      const place = { fullKey: fullKeyOf(node), origin: node.origin };
      throw new ConfigError('InterpolationResolutionError', 'Recursive interpolation detected', place);
    }
    const inside = new Set(open).add(resolved);
    if (resolved.kind === 'list') {
      const items = resolved.items.map((item) => this.#view(item, isConfig, inside));
      return buildList(items, resolved, isConfig);
    }
    const entries: [ConfigKey, Built][] = [];
    for (const [key, child] of resolved.entries()) entries.push([key, this.#view(child, isConfig, inside)]);
    return buildDict(entries, resolved, isConfig);
  }

  #scalar(node: ConfigNode): Built {
    if (this.#runtime.has(node)) return new Built(this.#runtime.get(node));
    return new Built(node.kind === 'scalar' ? node.value : undefined, node);
  }

  /** Resolves a value that must be there. */
  #required(node: ConfigNode): ConfigNode {
    const resolved = this.#options.access.resolve(node);
    if (!resolved.isMissing) return resolved;
    const fullKey = fullKeyOf(node);
    throw new ConfigError('MissingMandatoryValue', `Missing mandatory value: ${fullKey}`, {
      fullKey,
      origin: node.origin,
    });
  }

  #control(node: DictNode, key: string, inherited: unknown): unknown {
    const child = node.get(key);
    if (child === undefined) return inherited;
    const resolved = this.#required(child);
    return resolved.kind === 'scalar' ? resolved.value : resolved;
  }

  async #locate(node: DictNode): Promise<LocatedTarget> {
    const child = node.get('_target_');
    if (child === undefined) throw new Error('Internal error: a target without _target_');
    const place = { fullKey: fullKeyOf(node), origin: child.origin ?? node.origin };
    const resolved = this.#required(child);
    const given = this.#runtime.get(resolved);
    if (isCallable(given)) return { name: given.name, kind: 'project', value: given };
    if (resolved.kind !== 'scalar' || typeof resolved.value !== 'string' || given !== undefined) {
      throw notCallable(given ?? resolved, place);
    }
    return findTarget(resolved.value, this.#options.locator, this.#whitelist, place);
  }

  #positional(
    node: DictNode,
    target: LocatedTarget,
    configured: Built | undefined,
    given: readonly unknown[],
  ): Built[] {
    const value = configured?.value ?? [];
    if (configured !== undefined && typeof value !== 'string' && !Array.isArray(configured.value)) {
      const child = node.get('_args_') ?? node;
      const resolved = this.#options.access.resolve(child);
      throw new InstantiateError(
        'arguments-invalid',
        `Error in collecting args and kwargs for '${target.name}':\n` +
          `Unsupported _args_ type: '${describeType(resolved)}'. value: '${describeValue(resolved)}'. Write a list.`,
        { fullKey: fullKeyOf(node), origin: child.origin },
      );
    }
    if (given.length > 0) return given.map((item) => this.#given(item));
    // Python takes a text for a sequence of its characters.
    if (typeof value === 'string') return [...value].map((character) => new Built(character));
    const info = containerInfo(value);
    if (info !== undefined) return info.entries.map(([, built]) => built);
    return Array.isArray(value) ? value.map((item: unknown) => this.#given(item)) : [];
  }

  async #call(node: DictNode, call: TargetCall): Promise<Built> {
    const invoke = this.#options.invoke ?? invokeJavaScript;
    try {
      const result = call.partial ? invoke(call) : await invoke(call);
      return result instanceof Built ? result : new Built(result);
    } catch (error) {
      const frame = userFrame(error);
      const lines = [`Error in call to target '${call.target.name}':`, describeThrown(error)];
      if (frame !== undefined) lines.push(`thrown at ${frame.text}`);
      throw new InstantiateError('call-failed', lines.join('\n'), {
        cause: error,
        fullKey: fullKeyOf(node),
        origin: node.get('_target_')?.origin ?? node.origin,
        details: { target: call.target.name, ...(frame === undefined ? {} : { frame }) },
      });
    }
  }
}

function isControl(key: ConfigKey): boolean {
  return key === '_target_' || key === '_convert_' || key === '_recursive_' || key === '_partial_';
}

/** Without structured configs, 'partial' and 'object' convert what 'all' converts. */
function isPlainMode(convert: unknown): boolean {
  return convert === 'all' || convert === 'partial' || convert === 'object';
}

function checkFlag(name: string, value: unknown, node: ConfigNode): void {
  if (typeof value === 'boolean') return;
  const flag = node.kind === 'dict' ? node.get(name) : undefined;
  throw new InstantiateError(
    'flag-invalid',
    `Instantiation: ${name} flag must be a bool, got <class '${describeType(flag ?? value)}'>`,
    { fullKey: fullKeyOf(node), origin: flag?.origin ?? node.origin },
  );
}
