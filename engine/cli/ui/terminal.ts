import { stripVTControlCharacters, styleText } from 'node:util';

/** Where text goes; `process.stdout` and `process.stderr`, or a test's own. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

type Style = Parameters<typeof styleText>[0];

export interface TerminalOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * The only place that prints. Results go to stdout, everything about getting them to stderr, so that a pipe gets what it
 * asked for. Colours appear on a terminal alone, and never with NO_COLOR. A status line is redrawn in place and makes
 * room for whatever is printed above it.
 */
export class Terminal {
  readonly #stdout: TextStream;
  readonly #stderr: TextStream;
  readonly #environment: NodeJS.ProcessEnv;
  #statusLine = '';

  constructor(options: TerminalOptions) {
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#environment = options.environment ?? process.env;
  }

  /** Whether a person watches: a status line can be redrawn. */
  get isInteractive(): boolean {
    return this.#stderr.isTTY === true && this.#environment.TERM !== 'dumb' && !this.#environment.CI;
  }

  get width(): number {
    return Math.max(20, this.#stderr.columns ?? this.#stdout.columns ?? 80);
  }

  /** A line (or lines) of the result. */
  print(text = ''): void {
    this.#above(() => this.#stdout.write(`${text}\n`));
  }

  /** Text of the result as it is, without a line end of our own. */
  printRaw(text: string): void {
    this.#above(() => this.#stdout.write(text));
  }

  /** A line about what goes on. */
  note(text: string): void {
    this.#above(() => this.#stderr.write(`${text}\n`));
  }

  warn(text: string): void {
    this.note(`${this.paint('yellow', 'warning:', this.#stderr)} ${text}`);
  }

  /** Redraws the last line of an interactive terminal; elsewhere nothing happens. */
  status(text: string): void {
    if (!this.isInteractive) return;
    const cut = cutVisible(text, this.width - 1);
    this.#stderr.write(`\r\x1b[2K${cut}`);
    this.#statusLine = cut;
  }

  clearStatus(): void {
    if (this.#statusLine !== '') this.#stderr.write('\r\x1b[2K');
    this.#statusLine = '';
  }

  /** Styled where the stream shows colours. */
  paint(style: Style, text: string, stream: TextStream = this.#stdout): string {
    return this.#showsColours(stream) ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Styled for what goes to stderr. */
  paintNote(style: Style, text: string): string {
    return this.paint(style, text, this.#stderr);
  }

  #showsColours(stream: TextStream): boolean {
    const { NO_COLOR, FORCE_COLOR, TERM } = this.#environment;
    if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
    if (FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0') return true;
    return stream.isTTY === true && TERM !== 'dumb';
  }

  #above(write: () => void): void {
    const line = this.#statusLine;
    if (line !== '') this.#stderr.write('\r\x1b[2K');
    write();
    if (line !== '') this.#stderr.write(line);
  }
}

const ESCAPE = String.fromCharCode(27);
const STYLE_SEQUENCE = new RegExp(`(${ESCAPE}\\[[0-9;]*m)`);

/** Text cut to a number of visible characters; control sequences do not count and are kept whole. */
export function cutVisible(text: string, width: number): string {
  if (stripVTControlCharacters(text).length <= width) return text;
  let visible = 0;
  let result = '';
  for (const part of text.split(STYLE_SEQUENCE)) {
    if (part.startsWith(ESCAPE)) {
      result += part;
      continue;
    }
    for (const character of part) {
      if (visible >= width) break;
      result += character;
      visible++;
    }
  }
  return result;
}
