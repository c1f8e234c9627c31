import { join } from 'node:path';
import { z } from 'zod';
import {
  type Composition,
  ConfigError,
  compose,
  createResolverRegistry,
  ResolveContext,
  registerHydraResolvers,
  resolve,
  toTagged,
} from '../../engine/config/index.ts';
import { compareError, compareOutcome, ExpectedError, sameValue } from './expectation.ts';
import type { CaseOutcome, FamilyContext } from './framework.ts';

const Expected = z.looseObject({
  config: z.unknown().optional(),
  resolved: z.unknown().optional(),
  resolve_error: ExpectedError.optional(),
  choices: z.record(z.string(), z.string().nullable()).optional(),
  defaults: z.array(z.unknown()).optional(),
  options: z.array(z.string()).optional(),
  missing: z.string().optional(),
});

const ComposeCase = z.looseObject({
  id: z.string(),
  tree: z.string(),
  config_name: z.string().nullable(),
  overrides: z.array(z.string()),
  expect: z.union([ExpectedError.and(Expected), Expected]),
});

const RECORDING_ENVIRONMENT = { USER: 'someone', HOME: '/nonexistent' };

/** Composes one case's tree and compares config, choices and defaults list, or how it failed. */
export function runComposeCase(input: unknown, trees: string, { directory }: FamilyContext): CaseOutcome {
  const vector = ComposeCase.parse(input);
  const expected = vector.expect;
  const failure = ExpectedError.safeParse(expected).data;
  let composition: Composition;
  try {
    composition = compose({
      searchPath: [join(directory, trees, vector.tree)],
      configName: vector.config_name,
      overrides: vector.overrides,
      env: RECORDING_ENVIRONMENT,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (failure === undefined) return `expected a config\ngot ${error.exception}: ${error.message}`;
    return compareError(failure, asHydraTellsIt(error)) ?? compareMissing(expected, error);
  }
  if (failure !== undefined) {
    return `expected ${failure.error}: ${failure.message}\ngot ${JSON.stringify(toTagged(composition.config))}`;
  }
  return compareComposition(expected, composition);
}

/** Where Hydra says nothing, our message says something; what Hydra says is kept in the details. */
function asHydraTellsIt(error: ConfigError): ConfigError {
  const { hydraMessage } = error.details;
  return typeof hydraMessage === 'string' ? new ConfigError(error.exception, hydraMessage) : error;
}

function compareMissing(expected: z.infer<typeof Expected>, { details }: ConfigError): CaseOutcome {
  if (expected.missing !== undefined && details.missing !== expected.missing) {
    return `expected missing ${expected.missing}, got ${String(details.missing)}`;
  }
  if (expected.options !== undefined && !sameValue(details.options, expected.options)) {
    return `expected options ${JSON.stringify(expected.options)}, got ${JSON.stringify(details.options)}`;
  }
  return undefined;
}

function compareComposition(expected: z.infer<typeof Expected>, composition: Composition): CaseOutcome {
  const { config, choices, defaults } = composition;
  const outcome = compareOutcome({ value: expected.config }, () => toTagged(config));
  if (outcome !== undefined) return outcome;
  const own = Object.fromEntries([...choices].filter(([key]) => !key.startsWith('hydra/')));
  if (!sameValue(own, expected.choices)) {
    return `expected choices ${JSON.stringify(expected.choices)}\ngot ${JSON.stringify(own)}`;
  }
  const list = defaults
    .filter(({ configPath }) => !configPath.startsWith('hydra/'))
    .map((item) => [item.configPath, item.package, item.isSelf]);
  if (!sameValue(list, expected.defaults)) {
    return `expected defaults ${JSON.stringify(expected.defaults)}\ngot ${JSON.stringify(list)}`;
  }
  if (expected.resolve_error === undefined && expected.resolved === undefined) return undefined;
  return compareOutcome(expected.resolve_error ?? { value: expected.resolved }, () =>
    toTagged(resolve(config, recordingContext())),
  );
}

/** While recording, Hydra had not been started: `${hydra:…}` fails. */
function recordingContext(): ResolveContext {
  const resolvers = createResolverRegistry();
  registerHydraResolvers(resolvers, () => undefined);
  return new ResolveContext({ resolvers, env: RECORDING_ENVIRONMENT });
}
