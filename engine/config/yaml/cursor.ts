import type { Mark } from './mark.ts';

export const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const SPACE = 0x20;
const NEXT_LINE = 0x85;
const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;
const BYTE_ORDER_MARK = 0xfeff;

/** The end of the text reads as this code; the reader has refused it inside the text. */
export const END = 0;

export function isBreak(code: number): boolean {
  return (
    code === LINE_FEED ||
    code === CARRIAGE_RETURN ||
    code === NEXT_LINE ||
    code === LINE_SEPARATOR ||
    code === PARAGRAPH_SEPARATOR
  );
}

export function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

export function isBlankOrEnd(code: number): boolean {
  return code === SPACE || code === TAB || code === END || isBreak(code);
}

export function isBreakOrEnd(code: number): boolean {
  return code === END || isBreak(code);
}

/** Letters, digits, `_` and `-`: what anchors, tag handles and directive names are made of. */
export function isWord(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code === 0x2d
  );
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10;
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10;
  return -1;
}

/** A reading position in a YAML text that knows its line. */
export class Cursor {
  readonly text: string;
  index = 0;
  line = 0;
  lineStart = 0;

  constructor(text: string) {
    this.text = text;
  }

  get column(): number {
    return this.index - this.lineStart;
  }

  /** The code unit `offset` places ahead; END past the end. */
  peek(offset = 0): number {
    const at = this.index + offset;
    return at < this.text.length ? this.text.charCodeAt(at) : END;
  }

  mark(): Mark {
    return { index: this.index, line: this.line, column: this.index - this.lineStart };
  }

  skip(count = 1): void {
    this.index += count;
  }

  /** Steps over a line break and returns what it stands for: `\n` for all but the two Unicode separators. */
  readBreak(): string {
    const code = this.peek();
    this.index += code === CARRIAGE_RETURN && this.peek(1) === LINE_FEED ? 2 : 1;
    this.line += 1;
    this.lineStart = this.index;
    if (code === LINE_SEPARATOR) return '\u2028';
    return code === PARAGRAPH_SEPARATOR ? '\u2029' : '\n';
  }

  skipBlanks(): void {
    while (isBlank(this.peek())) this.index += 1;
  }

  skipToLineEnd(): void {
    while (!isBreakOrEnd(this.peek())) this.index += 1;
  }

  /** A byte order mark may begin any line; only the text's own takes no column. */
  skipByteOrderMark(): void {
    if (this.index !== this.lineStart || this.peek() !== BYTE_ORDER_MARK) return;
    this.index += 1;
    if (this.index === 1) this.lineStart = 1;
  }

  /** True before `---` or `...` (as `character` says) at a line's start with nothing glued to it. */
  atDocumentIndicator(character: number): boolean {
    return (
      this.index === this.lineStart &&
      this.peek() === character &&
      this.peek(1) === character &&
      this.peek(2) === character &&
      isBlankOrEnd(this.peek(3))
    );
  }
}
