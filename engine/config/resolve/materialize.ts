import { withPath } from '../container/failure.ts';
import { ConfigError, isResolutionError } from '../errors.ts';
import type { ConfigKey } from '../node/key.ts';
import { type ConfigNode, type ContainerNode, DictNode, ListNode } from '../node/node.ts';
import { type Dereferenced, nodeFromPlain, type Value, valueBehind } from './value.ts';

export interface MaterializeOptions {
  /** Throw a MissingMandatoryValue for a `???` instead of keeping it. */
  readonly throwOnMissing?: boolean;
}

/** Interpolations to each other's containers nest without end; this many levels are more than any config has. */
const DEEPEST_NESTING = 400;
/** What interpolations may unfold to in all: enough for any config, little enough for any memory. */
const MOST_NODES = 1_000_000;

/**
 * A copy of a value in which every interpolation is replaced by what it yields. Nodes keep the origin of the text that
 * stands in the config. Throws what the interpolations throw, with the path of the key.
 */
export function materialize(
  value: Value,
  dereference: (node: ConfigNode) => Dereferenced,
  options: MaterializeOptions = {},
): ConfigNode {
  return new Materializer(dereference, options.throwOnMissing ?? false).copy(value);
}

class Materializer {
  readonly #dereference: (node: ConfigNode) => Dereferenced;
  readonly #throwOnMissing: boolean;
  #depth = 0;
  #count = 0;

  constructor(dereference: (node: ConfigNode) => Dereferenced, throwOnMissing: boolean) {
    this.#dereference = dereference;
    this.#throwOnMissing = throwOnMissing;
  }

  copy(value: Value): ConfigNode {
    return nodeFromPlain(value, (container) => this.#container(container));
  }

  #container(container: ContainerNode): ContainerNode {
    this.#depth += 1;
    if (this.#depth > DEEPEST_NESTING) {
      throw new ConfigError('RecursionError', `Interpolations nest deeper than ${DEEPEST_NESTING} levels`, {
        origin: container.origin,
      });
    }
    const copy = container.kind === 'list' ? this.#list(container) : this.#dict(container);
    copy.flags = container.flags;
    copy.beat = container.beat;
    this.#depth -= 1;
    return copy;
  }

  #list(list: ListNode): ListNode {
    const copy = new ListNode([], list.origin);
    list.items.forEach((item, index) => {
      copy.push(this.#child(list, index, item));
    });
    return copy;
  }

  #dict(dict: DictNode): DictNode {
    const copy = new DictNode([], dict.origin);
    for (const child of dict.values()) {
      const key = child.key ?? '';
      const copied = this.#child(dict, key, child);
      copied.keyOrigin = child.keyOrigin;
      copy.set(key, copied);
    }
    return copy;
  }

  #child(container: ContainerNode, key: ConfigKey, child: ConfigNode): ConfigNode {
    this.#count += 1;
    if (this.#count > MOST_NODES) {
      throw new ConfigError('RecursionError', `Interpolations unfold to more than ${MOST_NODES} values`, {
        origin: child.origin,
      });
    }
    if (this.#throwOnMissing && child.isMissing) {
      const error = new ConfigError('MissingMandatoryValue', `Missing mandatory value: ${String(key)}`);
      throw withPath(error, container, key);
    }
    if (!child.isInterpolation) return child.kind === 'scalar' ? child.clone() : this.#container(child);
    const target = this.#follow(container, key, child);
    const copy = this.copy(valueBehind(target));
    copy.origin = child.origin;
    copy.beat = child.beat;
    return copy;
  }

  #follow(container: ContainerNode, key: ConfigKey, child: ConfigNode): Dereferenced {
    try {
      return this.#dereference(child);
    } catch (error) {
      throw isResolutionError(error) ? withPath(error, container, key) : error;
    }
  }
}
