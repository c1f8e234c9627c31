import { z } from 'zod';
import {
  type ConfigNode,
  type ContainerNode,
  fromTagged,
  getItem,
  loadYaml,
  missingKeys,
  type ResolveContext,
  resolve,
  resolveInPlace,
  select,
  toTagged,
} from '../../../engine/config/index.ts';
import { compareOutcome, Encoded, ExpectedError, sameValue } from '../expectation.ts';
import type { CaseOutcome } from '../framework.ts';
import { recordingContext } from '../resolvers.ts';

const InterpolationCase = z.looseObject({
  id: z.string(),
  yaml: z.string(),
  op: z.enum(['get', 'select', 'strict', 'resolve', 'missing_keys']),
  key: z.string().nullish(),
  env: z.record(z.string(), z.string()).optional(),
  default: Encoded.optional(),
  throw_on_missing: z.boolean().optional(),
  throw_on_resolution_failure: z.boolean().optional(),
  warnings: z.array(z.string()).optional(),
  value: z.unknown().optional(),
  error: z.string().optional(),
});
type InterpolationCase = z.infer<typeof InterpolationCase>;

/** Interpolations, resolvers and selection on a loaded config. */
export const interpolation = {
  name: 'interpolation',
  file: 'interpolation.json',
  run(input: unknown): CaseOutcome {
    const vector = InterpolationCase.parse(input);
    const { context, warnings } = recordingContext(vector.env);
    const expected = vector.error === undefined ? { value: vector.value } : ExpectedError.parse(vector);
    const outcome = compareOutcome(expected, () => perform(vector, loadYaml(vector.yaml), context));
    if (outcome !== undefined) return outcome;
    const expectedWarnings = vector.warnings ?? [];
    if (vector.warnings === undefined || sameValue(expectedWarnings, warnings)) return undefined;
    return `expected warnings ${JSON.stringify(expectedWarnings)}\ngot ${JSON.stringify(warnings)}`;
  },
};

function perform(vector: InterpolationCase, config: ContainerNode, context: ResolveContext): unknown {
  switch (vector.op) {
    case 'get':
      return encode(vector.key == null ? config : getPath(config, vector.key, context), context);
    case 'select': {
      const found = select(config, vector.key ?? '', context, {
        ...(vector.default === undefined ? {} : { default: fromTagged(vector.default) }),
        throwOnMissing: vector.throw_on_missing ?? false,
        throwOnResolutionFailure: vector.throw_on_resolution_failure ?? true,
      });
      return found === undefined ? { t: 'null' } : encode(found, context);
    }
    case 'strict':
      return toTagged(resolve(config, context, { throwOnMissing: true }));
    case 'resolve':
      resolveInPlace(config, context);
      return toTagged(config);
    default: {
      const keys = [...missingKeys(config, context)].sort();
      return Array.isArray(vector.value) ? keys : { t: 'list', v: keys.map((v) => ({ t: 'str', v })) };
    }
  }
}

function getPath(config: ContainerNode, path: string, context: ResolveContext): ConfigNode {
  let node: ConfigNode = config;
  for (const part of path.split('.')) {
    if (node.kind === 'scalar') throw new Error(`the case goes into a scalar at ${part}`);
    node = getItem(node, node.kind === 'list' ? Number(part) : part, context);
  }
  return node;
}

function encode(node: ConfigNode, context: ResolveContext): unknown {
  return toTagged(node.kind === 'scalar' ? node : resolve(node, context));
}
