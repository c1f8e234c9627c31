import type { JsonSchema, JsonValue } from '../../config/index.ts';
import type { SourceModule } from './parseModule.ts';

/** A JSDoc comment: its text on one line and its tags. */
export interface DocComment {
  readonly text: string | undefined;
  /** In the order in which they are written. */
  readonly tags: readonly { readonly tag: string; readonly text: string }[];
}

/** The JSDoc comment right before an offset; its text ends where an example in a fence begins. */
export function docBefore(module: SourceModule, offset: number): DocComment | undefined {
  const comment = lastBefore(module, offset);
  if (comment === undefined) return undefined;
  const between = module.text.slice(comment.end, offset);
  if (!/^(?:\s|export|default|abstract|async|declare|readonly|static|public|const|let|var)*$/.test(between)) {
    return undefined;
  }
  const lines = comment.value
    .replace(/```[\s\S]*?(?=\n[\s*]*@\w|$)/, '')
    .split('\n')
    .flatMap((line) =>
      line
        .replace(/^\s*\*+ ?/, '')
        .trim()
        .split(/(?<=\s)(?=@\w)/),
    );
  const parts: { tag: string; lines: string[] }[] = [{ tag: '', lines: [] }];
  for (const line of lines) {
    const [, tag, rest = ''] = /^@(\w+)\s*(.*)$/.exec(line) ?? [];
    if (tag === undefined) parts.at(-1)?.lines.push(line);
    else parts.push({ tag, lines: [rest] });
  }
  const [first, ...tags] = parts.map((part) => ({
    tag: part.tag,
    text: part.lines.join(' ').replace(/\s+/g, ' ').trim(),
  }));
  return { text: first?.text === '' ? undefined : first?.text, tags };
}

function lastBefore(module: SourceModule, offset: number): SourceModule['comments'][number] | undefined {
  const { comments } = module;
  let low = 0;
  let high = comments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((comments[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const comment = comments[low - 1];
  return comment?.type === 'Block' && comment.value.startsWith('*') ? comment : undefined;
}

/** What `@param name` says. */
export function parameterDoc(doc: DocComment | undefined, name: string): string | undefined {
  for (const { tag, text } of doc?.tags ?? []) {
    const [, named, said] = /^(?:\{[^}]*\}\s*)?\[?([\w$]+)(?:=[^\]]*)?\]?\s*-?\s*(.*)$/.exec(text) ?? [];
    if (tag === 'param' && named === name) return said === '' ? undefined : said;
  }
  return undefined;
}

/** Tags that say what a type cannot, and the keyword of JSON Schema that each stands for. */
const KEYWORDS = {
  default: 'default',
  defaultValue: 'default',
  minimum: 'minimum',
  maximum: 'maximum',
  exclusiveMinimum: 'exclusiveMinimum',
  exclusiveMaximum: 'exclusiveMaximum',
  minItems: 'minItems',
  maxItems: 'maxItems',
} as const;

/** The schema with what the comment says: description, `@default`, `@minimum` and their kin; `@integer` for whole numbers. */
export function withDoc(schema: JsonSchema, doc: DocComment | undefined): JsonSchema {
  if (doc === undefined) return schema;
  const said: Record<string, JsonValue> = {};
  for (const { tag, text } of doc.tags) {
    const keyword = Object.hasOwn(KEYWORDS, tag) ? KEYWORDS[tag as keyof typeof KEYWORDS] : undefined;
    const value = keyword === undefined ? undefined : parseValue(text);
    if (keyword !== undefined && value !== undefined && (keyword === 'default' || typeof value === 'number')) {
      said[keyword] = value;
    }
  }
  const isInteger = schema.type === 'number' && doc.tags.some(({ tag }) => tag === 'integer');
  return {
    ...schema,
    ...(isInteger ? { type: 'integer' } : {}),
    ...said,
    ...(doc.text === undefined ? {} : { description: doc.text }),
  };
}

function parseValue(text: string): JsonValue | undefined {
  const bare = text.replace(/^`+|`+$/g, '').replace(/^'(.*)'$/, (_, inner: string) => JSON.stringify(inner));
  try {
    return JSON.parse(bare) as JsonValue;
  } catch {
    // Prose, or an expression.
    return undefined;
  }
}
