/** Longer lines are folded where the text allows it. */
export const DEFAULT_WIDTH = 80;
const BEST_INDENT = 2;

/** Text being written, with what libyaml's emitter remembers of it. */
export class YamlWriter {
  readonly #parts: string[] = [];
  /** A line that is longer is folded at its next space. */
  readonly width: number;
  column = 0;
  /** The indentation of the current collection, -1 outside of all. */
  indent = -1;
  /** The last character was white space. */
  whitespace = true;
  /** The line has nothing but indentation and indicators of collections so far. */
  indention = true;
  readonly #indents: number[] = [];

  constructor(width = DEFAULT_WIDTH) {
    this.width = width;
  }

  toString(): string {
    return this.#parts.join('');
  }

  put(text: string): void {
    this.#parts.push(text);
    this.column += text.length;
  }

  putBreak(text = '\n'): void {
    this.#parts.push(text);
    this.column = 0;
  }

  writeIndicator(
    indicator: string,
    { needWhitespace = false, isWhitespace = false, isIndention = false }: IndicatorOptions = {},
  ): void {
    if (needWhitespace && !this.whitespace) this.put(' ');
    this.put(indicator);
    this.whitespace = isWhitespace;
    this.indention = this.indention && isIndention;
  }

  /** Begins a new line unless this one can be used, and indents it. */
  writeIndent(): void {
    const indent = Math.max(this.indent, 0);
    if (!this.indention || this.column > indent || (this.column === indent && !this.whitespace)) this.putBreak();
    if (this.column < indent) this.put(' '.repeat(indent - this.column));
    this.whitespace = true;
    this.indention = true;
  }

  increaseIndent(flow: boolean, indentless: boolean): void {
    this.#indents.push(this.indent);
    if (this.indent < 0) this.indent = flow ? BEST_INDENT : 0;
    else if (!indentless) this.indent += BEST_INDENT;
  }

  decreaseIndent(): void {
    this.indent = this.#indents.pop() ?? -1;
  }
}

export interface IndicatorOptions {
  readonly needWhitespace?: boolean;
  readonly isWhitespace?: boolean;
  readonly isIndention?: boolean;
}
