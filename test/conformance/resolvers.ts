import { createResolverRegistry, ResolveContext, type TypedResolver } from '../../engine/config/index.ts';

/** Its only argument, otherwise the list of its arguments. */
const test: TypedResolver = (args) => (args.length === 1 && args[0] ? args[0] : { kind: 'plain-list', items: args });

export interface RecordingContext {
  readonly context: ResolveContext;
  /** Texts of the warnings raised so far. */
  readonly warnings: readonly string[];
}

/** The resolvers that were registered while recording, with the only environment variables there were. */
export function recordingContext(env: Readonly<Record<string, string>> = {}): RecordingContext {
  const resolvers = createResolverRegistry();
  resolvers.registerTyped('test', test);
  resolvers.registerTyped('ns1.ns2.test', test);
  const warnings: string[] = [];
  return { context: new ResolveContext({ resolvers, env, warn: (text) => warnings.push(text) }), warnings };
}
