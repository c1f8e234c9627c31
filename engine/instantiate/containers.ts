import { BytesKey, type ConfigKey, type ConfigNode, FloatKey } from '../config/index.ts';

/** A value on its way into an object; `node` is the scalar it came from and still knows 1 from 1.0. */
export class Built {
  readonly value: unknown;
  readonly node: ConfigNode | undefined;

  constructor(value: unknown, node?: ConfigNode) {
    this.value = value;
    this.node = node;
  }
}

export interface ContainerInfo {
  /** True for a container passed with `_convert_: none`: Hydra would pass an OmegaConf container here. */
  readonly isConfig: boolean;
  /** The config node that the container shows. */
  readonly node: ConfigNode;
  /** What the container holds, in order, with its typed keys (an index for lists). */
  readonly entries: readonly (readonly [ConfigKey, Built])[];
}

/**
 * Objects and arrays handed to targets are ordinary JavaScript values, so that project code needs no config library.
 * What they were made from is remembered beside them: `instantiate` accepts such a value again, and the difference
 * between a config container and a plain one can still be told.
 */
const containers = new WeakMap<object, ContainerInfo>();

/** What an object or array built from a config was made of; `undefined` for any other value. */
export function containerInfo(value: unknown): ContainerInfo | undefined {
  return typeof value === 'object' && value !== null ? containers.get(value) : undefined;
}

export function buildList(items: readonly Built[], node: ConfigNode, isConfig: boolean): Built {
  const list = items.map((item) => item.value);
  containers.set(list, { isConfig, node, entries: items.map((item, index) => [index, item]) });
  return new Built(list);
}

/** A config container as plain ones, all the way down; anything else as it is. */
export function toPlainContainer(built: Built): Built {
  const info = containerInfo(built.value);
  if (info === undefined || !info.isConfig) return built;
  const entries = info.entries.map(([key, child]): [ConfigKey, Built] => [key, toPlainContainer(child)]);
  return Array.isArray(built.value)
    ? buildList(
        entries.map(([, child]) => child),
        info.node,
        false,
      )
    : buildDict(entries, info.node, false);
}

/** An object without surprises from a prototype's setter; a Map when some key is not a string. */
export function buildDict(
  entries: readonly (readonly [ConfigKey, Built])[],
  node: ConfigNode,
  isConfig: boolean,
): Built {
  const dict = plainDict(entries);
  containers.set(dict, { isConfig, node, entries });
  return new Built(dict);
}

function plainDict(entries: readonly (readonly [ConfigKey, Built])[]): object {
  if (entries.some(([key]) => typeof key !== 'string')) {
    return new Map(entries.map(([key, built]) => [plainKey(key), built.value]));
  }
  const dict: Record<string, unknown> = {};
  for (const [key, built] of entries) defineEntry(dict, String(key), built.value);
  return dict;
}

/** Sets an own property also where the name is `__proto__`. */
export function defineEntry(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function plainKey(key: ConfigKey): unknown {
  if (key instanceof BytesKey) return key.bytes;
  return key instanceof FloatKey ? key.value : key;
}
