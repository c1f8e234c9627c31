import { registerBuiltinResolvers } from './builtins.ts';
import { registerNumericResolvers } from './numericResolvers.ts';
import { ResolverRegistry } from './registry.ts';

/** A registry with `oc.*`, `multiply` and `len`, to which a project can add its own resolvers. */
export function createResolverRegistry(): ResolverRegistry {
  const registry = new ResolverRegistry();
  registerBuiltinResolvers(registry);
  registerNumericResolvers(registry);
  return registry;
}
