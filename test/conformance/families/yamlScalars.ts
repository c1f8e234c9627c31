import { z } from 'zod';
import { loadYaml, loadYamlValue, tagScalar, toTagged, type YamlValue } from '../../../engine/config/index.ts';
import { compareOutcome, Encoded, ExpectedError } from '../expectation.ts';
import type { CaseOutcome } from '../framework.ts';

const Outcome = z.union([ExpectedError, z.object({ value: Encoded })]);
const YamlCase = z.object({ id: z.string(), yaml: z.string(), config: Outcome }).and(Outcome);

/** What a YAML text says by itself, and what it says as a config. */
export const yamlScalars = {
  name: 'yaml_scalars',
  file: 'yaml_scalars.json',
  run(input: unknown): CaseOutcome {
    const vector = YamlCase.parse(input);
    return (
      compareOutcome(outcomeOf(vector), () => tagYaml(loadYamlValue(vector.yaml))) ??
      compareOutcome(vector.config, () => toTagged(loadYaml(vector.yaml)))
    );
  },
};

function outcomeOf(vector: z.infer<typeof Outcome>): ExpectedError | { readonly value: unknown } {
  return 'error' in vector
    ? { error: vector.error, message: vector.message }
    : { value: withoutSetValues(vector.value) };
}

/** Only that a set is a set is compared. */
function withoutSetValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSetValues);
  if (typeof value !== 'object' || value === null) return value;
  if (Reflect.get(value, 't') === 'set') return { t: 'set' };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSetValues(inner)]));
}

function tagYaml(value: YamlValue): unknown {
  switch (value.kind) {
    case 'scalar':
      return tagScalar(value.type, value.value);
    case 'list':
      return { t: 'list', v: value.items.map(tagYaml) };
    case 'dict':
      return { t: 'dict', v: [...value.entries.values()].map((entry) => [tagYaml(entry.key), tagYaml(entry.value)]) };
    default:
      return { t: value.kind };
  }
}
