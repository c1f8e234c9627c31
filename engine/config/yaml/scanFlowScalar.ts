import { type Cursor, hexValue, isBlank, isBlankOrEnd, isBreak } from './cursor.ts';
import { type Mark, yamlError } from './mark.ts';
import type { Token } from './token.ts';

const SINGLE_QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  [' ', ' '],
  ['"', '"'],
  ['/', '/'],
  ['\\', '\\'],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
]);

const CODE_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/** Joins the parts of a scalar over line breaks: one break folds into a space, more stay as one break fewer. */
export class LineFolder {
  #whitespace = '';
  #leadingBreak = '';
  #trailingBreaks = '';
  brokeLine = false;

  get isPending(): boolean {
    return this.brokeLine || this.#whitespace !== '';
  }

  /** Takes the blanks and breaks at the cursor. */
  collect(cursor: Cursor): void {
    for (let code = cursor.peek(); isBlank(code) || isBreak(code); code = cursor.peek()) {
      if (isBlank(code)) {
        if (!this.brokeLine) this.#whitespace += cursor.text[cursor.index];
        cursor.skip();
      } else {
        this.addBreak(cursor.readBreak());
      }
    }
  }

  addBreak(text: string): void {
    if (this.brokeLine) {
      this.#trailingBreaks += text;
    } else {
      this.#whitespace = '';
      this.#leadingBreak = text;
      this.brokeLine = true;
    }
  }

  addBlank(text: string): void {
    if (!this.brokeLine) this.#whitespace += text;
  }

  /** An escaped line break: it begins a new line, but is not itself folded. */
  escapeBreak(): void {
    this.brokeLine = true;
  }

  /** What the collected blanks and breaks become in the value. */
  flush(): string {
    const folded = this.brokeLine ? this.#foldedBreaks() : this.#whitespace;
    this.#whitespace = '';
    this.#leadingBreak = '';
    this.#trailingBreaks = '';
    this.brokeLine = false;
    return folded;
  }

  #foldedBreaks(): string {
    if (this.#leadingBreak !== '\n') return this.#leadingBreak + this.#trailingBreaks;
    return this.#trailingBreaks === '' ? ' ' : this.#trailingBreaks;
  }
}

/** Reads a quoted scalar; the cursor stands on its opening quote. */
export function scanQuotedScalar(cursor: Cursor, source: string): Token {
  const start = cursor.mark();
  const quote = cursor.peek();
  const fail = (problem: string) =>
    yamlError('ScannerError', source, problem, cursor.mark(), { text: 'while scanning a quoted scalar', mark: start });
  const folder = new LineFolder();
  let value = '';
  cursor.skip();
  for (;;) {
    if (cursor.atDocumentIndicator(0x2d) || cursor.atDocumentIndicator(0x2e)) {
      throw fail('found unexpected document indicator');
    }
    if (cursor.index >= cursor.text.length) throw fail('found unexpected end of stream');
    value += scanQuotedRun(cursor, source, quote, start, folder);
    if (cursor.peek() === quote) break;
    folder.collect(cursor);
    value += folder.flush();
  }
  cursor.skip();
  return { type: 'scalar', value, style: quote === SINGLE_QUOTE ? 'single' : 'double', start, end: cursor.mark() };
}

/** Reads what stands between two stretches of white space. */
function scanQuotedRun(cursor: Cursor, source: string, quote: number, start: Mark, folder: LineFolder): string {
  let value = '';
  let runStart = cursor.index;
  const takeRun = () => {
    value += cursor.text.slice(runStart, cursor.index);
  };
  for (let code = cursor.peek(); !isBlankOrEnd(code); code = cursor.peek()) {
    if (code === SINGLE_QUOTE && quote === SINGLE_QUOTE && cursor.peek(1) === SINGLE_QUOTE) {
      takeRun();
      value += "'";
      cursor.skip(2);
    } else if (code === quote) {
      break;
    } else if (code === BACKSLASH && quote === DOUBLE_QUOTE) {
      takeRun();
      cursor.skip();
      if (isBreak(cursor.peek())) {
        cursor.readBreak();
        folder.escapeBreak();
        return value;
      }
      value += scanEscape(cursor, source, start);
    } else {
      cursor.skip();
      continue;
    }
    runStart = cursor.index;
  }
  takeRun();
  return value;
}

/** Reads an escape sequence after its backslash. */
function scanEscape(cursor: Cursor, source: string, start: Mark): string {
  const context = { text: 'while parsing a quoted scalar', mark: start };
  const letter = cursor.text[cursor.index] ?? '';
  const simple = SIMPLE_ESCAPES.get(letter);
  if (simple !== undefined) {
    cursor.skip();
    return simple;
  }
  const length = CODE_LENGTHS.get(letter);
  if (length === undefined) {
    throw yamlError('ScannerError', source, 'found unknown escape character', cursor.mark(), context);
  }
  cursor.skip();
  let code = 0;
  for (let at = 0; at < length; at++) {
    const digit = hexValue(cursor.peek(at));
    if (digit < 0) {
      throw yamlError('ScannerError', source, 'did not find expected hexdecimal number', cursor.mark(), context);
    }
    code = code * 16 + digit;
  }
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
    throw yamlError('ScannerError', source, 'found invalid Unicode character escape code', cursor.mark(), context);
  }
  cursor.skip(length);
  return String.fromCodePoint(code);
}
