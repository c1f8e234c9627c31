import { type Cursor, isBlank, isBreak, isBreakOrEnd, isDigit, SPACE, TAB } from './cursor.ts';
import { type Mark, yamlError } from './mark.ts';
import type { Token } from './token.ts';

const HASH = 0x23;
const PIPE = 0x7c;

type Chomping = 'strip' | 'clip' | 'keep';

/** Reads a `|` or `>` scalar; the cursor stands on the indicator, `parentIndent` is the surrounding block's. */
export function scanBlockScalar(cursor: Cursor, source: string, parentIndent: number): Token {
  const start = cursor.mark();
  const literal = cursor.peek() === PIPE;
  cursor.skip();
  const header = scanHeader(cursor, source, start);
  const lines = new BlockLines(cursor, source, start);
  let end = cursor.mark();
  let indent = header.increment === 0 ? 0 : Math.max(parentIndent, 0) + header.increment;
  let breaks = lines.readBreaks(indent);
  if (indent === 0) indent = Math.max(lines.widestIndent, parentIndent + 1, 1);
  let value = '';
  let leadingBreak = '';
  let wasBlank = false;
  while (cursor.column === indent && cursor.index < cursor.text.length) {
    const startsBlank = isBlank(cursor.peek());
    if (!literal && leadingBreak === '\n' && !wasBlank && !startsBlank) {
      if (breaks === '') value += ' ';
    } else {
      value += leadingBreak;
    }
    value += breaks;
    wasBlank = startsBlank;
    const lineStart = cursor.index;
    cursor.skipToLineEnd();
    value += cursor.text.slice(lineStart, cursor.index);
    leadingBreak = isBreak(cursor.peek()) ? cursor.readBreak() : '';
    end = cursor.mark();
    breaks = lines.readBreaks(indent);
  }
  if (header.chomping !== 'strip') value += leadingBreak;
  if (header.chomping === 'keep') value += breaks;
  return { type: 'scalar', value, style: literal ? 'literal' : 'folded', start, end };
}

function scanHeader(
  cursor: Cursor,
  source: string,
  start: Mark,
): { readonly chomping: Chomping; readonly increment: number } {
  const context = { text: 'while scanning a block scalar', mark: start };
  let chomping = readChomping(cursor);
  let increment = 0;
  if (isDigit(cursor.peek())) {
    increment = cursor.peek() - 0x30;
    if (increment === 0) {
      throw yamlError('ScannerError', source, 'found an indentation indicator equal to 0', cursor.mark(), context);
    }
    cursor.skip();
    chomping ??= readChomping(cursor);
  }
  cursor.skipBlanks();
  if (cursor.peek() === HASH) cursor.skipToLineEnd();
  if (!isBreakOrEnd(cursor.peek())) {
    throw yamlError('ScannerError', source, 'did not find expected comment or line break', cursor.mark(), context);
  }
  if (isBreak(cursor.peek())) cursor.readBreak();
  return { chomping: chomping ?? 'clip', increment };
}

function readChomping(cursor: Cursor): Chomping | undefined {
  const character = cursor.text[cursor.index];
  if (character !== '+' && character !== '-') return undefined;
  cursor.skip();
  return character === '+' ? 'keep' : 'strip';
}

class BlockLines {
  readonly #cursor: Cursor;
  readonly #source: string;
  readonly #start: Mark;
  widestIndent = 0;

  constructor(cursor: Cursor, source: string, start: Mark) {
    this.#cursor = cursor;
    this.#source = source;
    this.#start = start;
  }

  /** Steps over indentation and empty lines and returns their breaks; `indent` 0 means: not known yet. */
  readBreaks(indent: number): string {
    const cursor = this.#cursor;
    let breaks = '';
    for (;;) {
      while ((indent === 0 || cursor.column < indent) && cursor.peek() === SPACE) cursor.skip();
      if (cursor.column > this.widestIndent) this.widestIndent = cursor.column;
      if ((indent === 0 || cursor.column < indent) && cursor.peek() === TAB) {
        throw yamlError(
          'ScannerError',
          this.#source,
          'found a tab character where an indentation space is expected',
          cursor.mark(),
          { text: 'while scanning a block scalar', mark: this.#start },
        );
      }
      if (!isBreak(cursor.peek())) return breaks;
      breaks += cursor.readBreak();
    }
  }
}
