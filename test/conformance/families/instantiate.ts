import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../../../engine/api/errors.ts';
import {
  type ConfigNode,
  type ContainerNode,
  getItem,
  loadYaml,
  loadYamlValue,
  type ResolveContext,
} from '../../../engine/config/index.ts';
import {
  Built,
  configAccess,
  createTargetLocator,
  type Invoke,
  instantiateBuilt,
  invokeJavaScript,
  type TargetWhitelist,
  UNSAFE_ALLOW_ALL_TARGETS,
} from '../../../engine/instantiate/index.ts';
import { Encoded, ExpectedError, sameValue } from '../expectation.ts';
import type { CaseOutcome } from '../framework.ts';
import { recordingContext } from '../resolvers.ts';
import { type Bound, callPython, isPythonTarget, pythonTarget } from './instantiate/pythonTarget.ts';
import { decode, encode } from './instantiate/values.ts';

const InstantiateCase = z.looseObject({
  id: z.string(),
  yaml: z.string(),
  key: z.string().nullable(),
  args: z.array(Encoded),
  kwargs: z.array(z.tuple([z.string(), Encoded])),
  target_whitelist: z.union([z.string(), z.array(z.string())]).optional(),
  result: Encoded.optional(),
  error: z.string().optional(),
});
type InstantiateCase = z.infer<typeof InstantiateCase>;

/** What Python itself has, as far as the cases call it. */
const builtins = {
  'builtins.int': pythonTarget('builtins.int', 'x=, base=', (bound) => new Built(pythonInt(bound))),
  'builtins.str': pythonTarget(
    'builtins.str',
    'object=',
    (bound) => new Built(String(bound.get('object')?.value ?? '')),
  ),
};

function pythonInt(bound: Bound): number {
  const value = bound.get('x')?.value ?? 0;
  return typeof value === 'number'
    ? Math.trunc(value)
    : Number.parseInt(String(value), Number(bound.get('base')?.value ?? 10));
}

const locator = createTargetLocator({
  builtins,
  project: { sourceRoots: [join(import.meta.dirname, 'instantiate', 'project')] },
});

const invoke: Invoke = (call) =>
  isPythonTarget(call.target.value)
    ? callPython(call.target.value, call.args, call.kwargs, call.partial)
    : invokeJavaScript(call);

/** Building objects from a config. */
export const instantiate = {
  name: 'instantiate',
  file: 'instantiate.json',
  async run(input: unknown): Promise<CaseOutcome> {
    const vector = InstantiateCase.parse(input);
    let got: unknown;
    try {
      got = encode(await perform(vector));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return compareFailure(vector, error);
    }
    if (vector.result === undefined) return `expected ${vector.error}\ngot ${JSON.stringify(got)}`;
    return sameValue(vector.result, got)
      ? undefined
      : `expected ${JSON.stringify(vector.result)}\ngot      ${JSON.stringify(got)}`;
  },
};

function perform(vector: InstantiateCase): Promise<Built> {
  const { context } = recordingContext();
  const isNull = loadYamlValue(vector.yaml).kind === 'scalar';
  return instantiateBuilt(isNull ? null : nodeAt(loadYaml(vector.yaml), vector.key, context), {
    locator,
    access: configAccess(context),
    args: vector.args.map(decode),
    kwargs: new Map(vector.kwargs.map(([name, value]) => [name, decode(value)])),
    targetWhitelist: whitelistOf(vector.target_whitelist),
    invoke,
  });
}

function nodeAt(config: ContainerNode, key: string | null, context: ResolveContext): ConfigNode {
  let node: ConfigNode = config;
  for (const part of key?.split('.') ?? []) {
    if (node.kind === 'scalar') throw new Error(`the case goes into a scalar at ${part}`);
    node = getItem(node, node.kind === 'list' ? Number(part) : part, context);
  }
  return node;
}

function whitelistOf(recorded: string | string[] | undefined): TargetWhitelist | undefined {
  return recorded === 'UNSAFE_ALLOW_ALL_TARGETS' ? UNSAFE_ALLOW_ALL_TARGETS : recorded;
}

function compareFailure(vector: InstantiateCase, error: EngineError): CaseOutcome {
  const exception = error.details.exception;
  const [message = ''] = error.message.split('\n').filter((line) => line.trim() !== '');
  if (vector.error === undefined)
    return `expected ${JSON.stringify(vector.result)}\ngot ${String(exception)}: ${message}`;
  const expected = ExpectedError.parse(vector);
  if (expected.error === exception && expected.message === message) return undefined;
  return `expected ${expected.error}: ${expected.message}\ngot      ${String(exception)}: ${message}`;
}
