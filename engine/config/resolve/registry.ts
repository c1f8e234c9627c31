import type { ConfigNode, ContainerNode } from '../node/node.ts';
import { fromPlain, type PlainValue } from '../node/plain.ts';
import { type Dereferenced, plainFromNode, type Value } from './value.ts';

export interface SelectOptions {
  /** True: a key without leading dots starts at the root. Otherwise it starts at the container. */
  readonly absolute?: boolean;
  /** Throw a MissingMandatoryValue where the way leads over `???`. */
  readonly throwOnMissing?: boolean;
  /** False: an interpolation that fails yields undefined. */
  readonly throwOnResolutionFailure?: boolean;
}

/** What a resolver sees of the place it is called from. */
export interface ResolverCall {
  /** The container that holds the interpolation; relative keys start here. */
  readonly parent: ContainerNode;
  readonly root: ContainerNode;
  /** The node whose text holds the interpolation. */
  readonly node: ConfigNode;
  /** The environment variables that the config may see. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When the run began. */
  readonly now: Date;
  /** The node for a key seen from `parent`, or undefined when there is none. */
  select(key: string, options?: SelectOptions): Dereferenced | undefined;
  /** The value of a text in the grammar of resolver arguments. */
  decode(text: string): Value;
  /** A value as JavaScript has it, interpolations inside it followed. */
  plain(value: Value): PlainValue;
  warn(message: string): void;
}

/** A resolver that works on typed values, where 1 and 1.0 differ. Whatever it throws names the interpolation. */
export type TypedResolver = (args: readonly Value[], call: ResolverCall) => Value;

/** A resolver of a project: plain values in, a plain value out. */
export type PlainResolver = (...args: PlainValue[]) => unknown;

export interface RegisterOptions {
  /** Keep the first result for the same arguments, for the life of the resolving context. */
  readonly useCache?: boolean;
  /** Without it a name that is taken is refused. */
  readonly replace?: boolean;
}

export interface RegisteredResolver {
  readonly resolve: TypedResolver;
  readonly useCache: boolean;
}

/** The resolvers that a config may call. A registry is a value of its own, so two projects do not share names. */
export class ResolverRegistry {
  readonly #resolvers = new Map<string, RegisteredResolver>();

  get(name: string): RegisteredResolver | undefined {
    return this.#resolvers.get(name);
  }

  has(name: string): boolean {
    return this.#resolvers.has(name);
  }

  names(): string[] {
    return [...this.#resolvers.keys()];
  }

  /** Adds a resolver that works on typed values. Throws an Error when the name is taken and `replace` is not set. */
  registerTyped(name: string, resolve: TypedResolver, options: RegisterOptions = {}): void {
    if (name === '') throw new Error('A resolver needs a name');
    if (this.#resolvers.has(name) && options.replace !== true) {
      throw new Error(`The resolver '${name}' is already registered; pass { replace: true } to replace it`);
    }
    this.#resolvers.set(name, { resolve, useCache: options.useCache ?? false });
  }

  /** Adds a resolver that takes and returns plain JavaScript values. Throws like `registerTyped`. */
  register(name: string, resolve: PlainResolver, options: RegisterOptions = {}): void {
    this.registerTyped(name, (args, call) => plainResult(resolve(...args.map((arg) => call.plain(arg)))), options);
  }

  /** A registry with the same resolvers that can be changed on its own. */
  copy(): ResolverRegistry {
    const copy = new ResolverRegistry();
    for (const [name, resolver] of this.#resolvers) copy.#resolvers.set(name, resolver);
    return copy;
  }
}

/** A resolver's list or mapping is a plain value, not a part of the config. */
function plainResult(result: unknown): Value {
  return plainFromNode(fromPlain(result));
}
