import type { ContainerNode } from '../node/node.ts';
import type { ResolverRegistry } from './registry.ts';
import type { Value } from './value.ts';

export interface ResolveContextOptions {
  readonly resolvers: ResolverRegistry;
  /** The environment variables that `oc.env` may see; none by default, so that configs do not depend on the host. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The time that `now:` prints. */
  readonly now?: Date;
  /** Hears deprecation warnings and the like. */
  readonly warn?: (message: string) => void;
}

/** What the resolving of a config depends on besides the config. */
export class ResolveContext {
  readonly resolvers: ResolverRegistry;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
  readonly warn: (message: string) => void;
  /** Results of resolvers with a cache, by the config they were called in. */
  readonly #cache = new WeakMap<ContainerNode, Map<string, Value>>();

  constructor(options: ResolveContextOptions) {
    this.resolvers = options.resolvers;
    this.env = options.env ?? {};
    this.now = options.now ?? new Date();
    this.warn = options.warn ?? (() => undefined);
  }

  cached(root: ContainerNode, key: string): Value | undefined {
    return this.#cache.get(root)?.get(key);
  }

  remember(root: ContainerNode, key: string, value: Value): void {
    const results = this.#cache.get(root) ?? new Map<string, Value>();
    results.set(key, value);
    this.#cache.set(root, results);
  }
}
