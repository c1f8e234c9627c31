import { z } from 'zod';
import {
  expandSweep,
  hydraValueText,
  keyElement,
  type Override,
  OverrideSyntaxError,
  type OverrideValue,
  parseOverride,
} from '../../../engine/config/index.ts';
import { compareOutcome, ExpectedError, sameValue } from '../expectation.ts';
import type { CaseOutcome } from '../framework.ts';

const ParsedCase = z.looseObject({
  ok: z.literal(true),
  type: z.string(),
  key_or_group: z.string(),
  package: z.string().nullable(),
  value_type: z.string().nullable(),
  value: z.looseObject({ t: z.string() }),
  key_element: z.string(),
  value_str: z.string().optional(),
  value_str_spaced: z.string().optional(),
  value_str_error: ExpectedError.optional(),
  expanded: z.array(z.string()).nullish(),
  expanded_any_order: z.boolean().optional(),
  expanded_error: ExpectedError.optional(),
});
type ParsedCase = z.infer<typeof ParsedCase>;

const OverrideCase = z
  .looseObject({ id: z.string(), input: z.string() })
  .and(z.union([ParsedCase, ExpectedError.and(z.looseObject({ ok: z.literal(false), detail: z.array(z.string()) }))]));

/** One override of the command line: how it is read, printed and enumerated. */
export const overrides = {
  name: 'overrides',
  file: 'overrides.json',
  run(input: unknown): CaseOutcome {
    const vector = OverrideCase.parse(input);
    let override: Override;
    try {
      override = parseOverride(vector.input, 0);
    } catch (error) {
      if (!(error instanceof OverrideSyntaxError)) throw error;
      if (vector.ok) return `refused: ${error.message}`;
      return compareOutcome(vector, () => raise(error)) ?? compareReason(vector.detail, error);
    }
    if (!vector.ok) return `accepted as ${JSON.stringify(override)}, expected ${vector.detail.join(' / ')}`;
    return compareHead(vector, override) ?? compareValue(vector, override) ?? compareExpansion(vector, override);
  },
};

function raise(error: Error): never {
  throw error;
}

/** Beyond the wording of the parser generator, what a function raised is told in Hydra's words. */
function compareReason([, detail = '']: readonly string[], error: OverrideSyntaxError): CaseOutcome {
  const isRaised = detail.includes(' while evaluating ') || detail.startsWith('Trying to use override symbols');
  if (!isRaised || error.reason.split('\n')[0] === detail) return undefined;
  return `expected ${detail}\ngot      ${error.reason}`;
}

function compareHead(vector: ParsedCase, override: Override): CaseOutcome {
  const got = {
    type: override.type,
    key_or_group: override.keyOrGroup,
    package: override.package ?? null,
    value_type: override.valueType ?? null,
    key_element: keyElement(override),
  };
  const { type, key_or_group, package: packageName, value_type, key_element } = vector;
  const expected = { type, key_or_group, package: packageName, value_type, key_element };
  return sameValue(got, expected) ? undefined : `expected ${JSON.stringify(expected)}\ngot      ${JSON.stringify(got)}`;
}

function compareValue(vector: ParsedCase, { value = { type: 'null' } }: Override): CaseOutcome {
  const encoded = encode(value);
  const { any_order: anyOrder, ...expected } = vector.value;
  const got = anyOrder === true ? sortItems(encoded) : encoded;
  if (!sameValue(got, anyOrder === true ? sortItems(expected) : expected)) {
    return `expected ${JSON.stringify(vector.value)}\ngot      ${JSON.stringify(encoded)}`;
  }
  if (vector.value_str_error !== undefined) return compareOutcome(vector.value_str_error, () => hydraValueText(value));
  if (vector.value_str === undefined) return undefined;
  const texts = [hydraValueText(value), hydraValueText(value, true)];
  const wanted = [vector.value_str, vector.value_str_spaced];
  return sameValue(texts, wanted) ? undefined : `expected ${JSON.stringify(wanted)}\ngot      ${JSON.stringify(texts)}`;
}

function compareExpansion(vector: ParsedCase, override: Override): CaseOutcome {
  const { expanded, expanded_error: error } = vector;
  if (error === undefined && !expanded) return undefined;
  return compareOutcome(error ?? { value: vector.expanded_any_order ? expanded?.toSorted() : expanded }, () => {
    const texts = expandSweep([override]).map(([text]) => text);
    return vector.expanded_any_order ? texts.toSorted() : texts;
  });
}

function sortItems(encoded: object): object {
  const items: unknown = Reflect.get(encoded, 'v');
  return Array.isArray(items) ? { ...encoded, v: items.map((item) => JSON.stringify(item)).toSorted() } : encoded;
}

function encodeNumber(value: number | bigint): number | string {
  if (typeof value === 'bigint') return value.toString();
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? value : value > 0 ? 'inf' : '-inf';
}

function encode(value: OverrideValue): object {
  switch (value.type) {
    case 'null':
      return { t: 'null' };
    case 'bool':
      return { t: 'bool', v: value.value };
    case 'int':
    case 'float':
      return { t: value.type, v: encodeNumber(value.value) };
    case 'str':
      if (value.quote === undefined) return { t: 'str', v: value.value, quoted: false };
      return { t: 'str', v: value.value, quoted: true, quote: value.quote };
    case 'list':
    case 'extend_list':
      return { t: value.type, v: value.items.map(encode) };
    case 'dict':
      return { t: 'dict', v: value.entries.map(([key, item]) => [encode(key), encode(item)]) };
    case 'choice_sweep': {
      const { simple, shuffle, tags, items } = value;
      return { t: 'choice_sweep', simple, shuffle, tags, v: items.map(encode) };
    }
    case 'range_sweep': {
      const { start, stop, step, shuffle, tags } = value;
      return { t: 'range_sweep', start: encode(start), stop: encode(stop), step: encode(step), shuffle, tags };
    }
    case 'interval_sweep':
      return { t: 'interval_sweep', start: encode(value.start), end: encode(value.end), tags: value.tags };
    default:
      return { t: 'glob', include: value.include.map(encode), exclude: value.exclude.map(encode) };
  }
}
