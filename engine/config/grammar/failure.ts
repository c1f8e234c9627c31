import { ConfigError, type ConfigExceptionName } from '../errors.ts';
import { pythonListRepr } from './pythonText.ts';
import type { Span } from './types.ts';

const HELP = 'See https://hydra.cc/docs/1.2/advanced/override_grammar/basic for details';

/** Thrown inside the parser: what is wrong and which piece of the text. */
export class ParseFailure extends Error {
  readonly span: Span;
  /** The exception of a grammar function, when one failed. */
  readonly exception: ConfigExceptionName;

  constructor(message: string, span: Span, exception: ConfigExceptionName = 'HydraException') {
    super(message);
    this.span = span;
    this.exception = exception;
  }
}

/** An override that Hydra's grammar refuses. `describe()` shows the text with a caret under the character at fault. */
export class OverrideSyntaxError extends ConfigError {
  readonly text: string;
  readonly index: number;
  readonly span: Span;
  readonly reason: string;

  constructor(failure: ParseFailure, text: string, index: number, all: readonly string[]) {
    const first = `Error when parsing index: ${index}, string: ${text} out of ${pythonListRepr(all)}.`;
    super('OverrideParseException', `${first}\n${failure.message}\n${caretLines(text, failure.span)}\n${HELP}`, {
      details: {
        override: index,
        text,
        column: failure.span.start,
        span: failure.span,
        reason: failure.message,
        raised: failure.exception,
      },
      origin: { kind: 'override', index, text, start: failure.span.start, end: failure.span.end },
    });
    this.text = text;
    this.index = index;
    this.span = failure.span;
    this.reason = failure.message;
  }

  override describe(): string {
    return `Override ${this.index + 1} cannot be read: ${this.reason}\n${caretLines(this.text, this.span)}`;
  }
}

/** The text, indented, and a line of carets under the span. */
function caretLines(text: string, span: Span): string {
  const shown = text.replace(/[\n\r]/g, ' ');
  // Tabs are kept so that the carets stand under their characters whatever the tab width.
  const before = shown.slice(0, span.start).replace(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(span.end, shown.length) - span.start));
  return `    ${shown}\n    ${before}${carets}`;
}
