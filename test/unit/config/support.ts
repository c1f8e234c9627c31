import {
  ConfigError,
  type ContainerNode,
  createResolverRegistry,
  loadYaml,
  ResolveContext,
  type ResolveContextOptions,
  toPlain,
} from '../../../engine/config/index.ts';

export function contextWith(options: Partial<ResolveContextOptions> = {}): ResolveContext {
  return new ResolveContext({ resolvers: createResolverRegistry(), ...options });
}

/** The config's values as ordinary objects, for comparing. */
export function plain(config: ContainerNode): unknown {
  return JSON.parse(JSON.stringify(toPlain(config)));
}

export function yaml(text: string): ContainerNode {
  return loadYaml(text, { source: 'test.yaml' });
}

/** The ConfigError that a step must end in. */
export function failureOf(step: () => unknown): ConfigError {
  try {
    step();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}
