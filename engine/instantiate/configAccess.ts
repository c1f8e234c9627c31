import { type ConfigNode, dereference, type ResolveContext } from '../config/index.ts';

/** How instantiation reads interpolations. */
export interface ConfigAccess {
  /**
   * The node that this one stands for: itself, or what its interpolation gives. A missing value ('???') comes back as it
   * is. Throws ConfigError (InterpolationKeyError and its kin).
   */
  resolve(node: ConfigNode): ConfigNode;
}

/** Interpolations as the config engine resolves them, with a project's resolvers. */
export function configAccess(context: ResolveContext): ConfigAccess {
  return { resolve: (node) => dereference(node, context) };
}
