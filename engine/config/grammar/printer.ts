import { ConfigError } from '../errors.ts';
import { parseOverride } from './parser.ts';
import { pythonFloat } from './pythonText.ts';
import { keyElement, type Override, type OverrideValue, type ScalarOverrideValue } from './types.ts';

const PLAIN = /^[A-Za-z_./-][\w./-]*$/;
const KEYWORD = /^(?:true|false|null|inf|nan)$/i;

/**
 * The value as Hydra writes it back (`get_value_element_as_str`): special characters escaped, quotes kept, `True` and
 * `False` in Python's spelling. Not every value reads back as the same type; `printOverride` is for that. Throws for
 * sweeps, as Hydra does.
 */
export function hydraValueText(value: OverrideValue, spaces = false): string {
  const comma = spaces ? ', ' : ',';
  const colon = spaces ? ': ' : ':';
  const list = (items: readonly OverrideValue[]) =>
    `[${items.map((item) => hydraValueText(item, spaces)).join(comma)}]`;
  switch (value.type) {
    case 'null':
      return 'null';
    case 'bool':
      return value.value ? 'True' : 'False';
    case 'int':
      return String(value.value);
    case 'float':
      return pythonFloat(value.value);
    case 'str':
      return value.quote === undefined ? escapeSpecial(value.value) : withQuotes(value.value, value.quote);
    case 'list':
      return list(value.items);
    case 'dict': {
      const entries = value.entries.map(
        ([key, item]) => `${hydraValueText(key)}${colon}${hydraValueText(item, spaces)}`,
      );
      return `{${entries.join(comma)}}`;
    }
    case 'extend_list':
      return `{values:${hydraValueText({ type: 'list', items: value.items })}}`;
    case 'glob': {
      const include = hydraValueText({ type: 'list', items: value.include });
      return `{include:${include},exclude:${hydraValueText({ type: 'list', items: value.exclude })}}`;
    }
    default:
      // What OmegaConf says when Hydra tries to write a nested sweep.
      throw new ConfigError('ValidationError', 'Unexpected type annotation: Set[str]');
  }
}

/** A backslash before every character that the grammar gives a meaning. */
function escapeSpecial(text: string): string {
  return text.replace(/[\\()[\]{}:=, \t]/g, '\\$&');
}

/** Quoted so that the grammar reads the same text: backslashes before a quote or at the end are doubled. */
function withQuotes(text: string, quote: '"' | "'" = "'"): string {
  const runs = quote === '"' ? /\\+(?="|$)/g : /\\+(?='|$)/g;
  return `${quote}${text.replace(runs, '$&$&').replaceAll(quote, `\\${quote}`)}${quote}`;
}

/** The override as text that reads back as an equal override: prefix, key, package and value. */
export function printOverride(override: Pick<Override, 'type' | 'keyOrGroup' | 'package' | 'value'>): string {
  const key = keyElement({ ...EMPTY, ...override });
  if (override.value === undefined) return key;
  if (override.type === 'EXTEND_LIST' && override.value.type === 'list') {
    return `${key}=extend_list(${override.value.items.map(printValue).join(',')})`;
  }
  const { value } = override;
  // `key=` is the only way to write an empty text without quotes.
  if (value.type === 'str' && value.quote === undefined && value.value === '') return `${key}=`;
  return `${key}=${printValue(value)}`;
}

const EMPTY: Override = {
  type: 'CHANGE',
  keyOrGroup: '',
  package: undefined,
  value: undefined,
  valueType: undefined,
  text: '',
  index: 0,
  keySpan: { start: 0, end: 0 },
  valueSpan: undefined,
};

/** The value as text that reads back as an equal value. Strings are quoted only where they have to be. */
export function printValue(value: OverrideValue): string {
  switch (value.type) {
    case 'null':
      return 'null';
    case 'bool':
      return value.value ? 'true' : 'false';
    case 'int':
      return String(value.value);
    case 'float':
      return pythonFloat(value.value);
    case 'str':
      return value.quote === undefined ? printText(value.value) : withQuotes(value.value, value.quote);
    case 'list':
      return `[${value.items.map(printValue).join(',')}]`;
    case 'dict':
      return `{${value.entries.map(([key, item]) => `${printKey(key)}:${printValue(item)}`).join(',')}}`;
    case 'choice_sweep': {
      const items = value.items.map(printValue).join(',');
      if (value.simple && value.tags.length === 0) return value.shuffle ? `shuffle(${items})` : items;
      return tagged(value.tags, value.shuffle ? `shuffle(choice(${items}))` : `choice(${items})`);
    }
    case 'range_sweep': {
      const range = `range(${printValue(value.start)},${printValue(value.stop)},${printValue(value.step)})`;
      return tagged(value.tags, value.shuffle ? `shuffle(${range})` : range);
    }
    case 'interval_sweep':
      return tagged(value.tags, `interval(${printValue(value.start)},${printValue(value.end)})`);
    case 'glob': {
      const include = `[${value.include.map(printValue).join(',')}]`;
      return value.exclude.length === 0
        ? `glob(${include})`
        : `glob(${include},[${value.exclude.map(printValue).join(',')}])`;
    }
    default:
      return `extend_list(${value.items.map(printValue).join(',')})`;
  }
}

function tagged(tags: readonly string[], sweep: string): string {
  return tags.length === 0 ? sweep : `tag(${[...tags.map(printText), sweep].join(',')})`;
}

/** A string, written plainly when it reads back as itself, then with escapes, then in quotes. */
export function printText(text: string): string {
  if (PLAIN.test(text) && !KEYWORD.test(text)) {
    if (!/[-.]/.test(text) || readsBackAs(text, text)) return text;
  }
  // A plain text with a comma would become a sweep on its own, so interpolations and escapes are tried as list items.
  for (const candidate of text.startsWith('${') ? [text] : [escapeSpecial(text)]) {
    if (readsBackAs(candidate, text)) return candidate;
  }
  return withQuotes(text, text.includes("'") && !text.includes('"') ? '"' : "'");
}

/** A mapping's key: the grammar has no quoted keys. A key that cannot be written so is quoted and will be refused. */
function printKey(key: ScalarOverrideValue): string {
  if (key.type !== 'str') return printValue(key);
  const escaped = escapeSpecial(key.value);
  return readsBackAs(escaped, key.value) ? escaped : withQuotes(key.value);
}

function readsBackAs(candidate: string, text: string): boolean {
  try {
    const { value } = parseOverride(`k=[${candidate}]`);
    const item = value?.type === 'list' && value.items.length === 1 ? value.items[0] : undefined;
    return item?.type === 'str' && item.quote === undefined && item.value === text;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}
