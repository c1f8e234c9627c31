import { ConfigError, type ConfigExceptionName } from '../errors.ts';
import type { FileOrigin } from '../node/origin.ts';

/** A place in a YAML text. `index` and `column` count UTF-16 units; `line` and `column` count from 0. */
export interface Mark {
  readonly index: number;
  readonly line: number;
  readonly column: number;
}

/** A stretch of a YAML text, end exclusive. */
export interface Span {
  readonly start: Mark;
  readonly end: Mark;
}

export function originAt(source: string, mark: Mark): FileOrigin {
  return { kind: 'file', source, line: mark.line + 1, column: mark.column + 1 };
}

/** A YAML problem, told as libyaml tells it: what was being read, from where, and what went wrong where. */
export function yamlError(
  exception: ConfigExceptionName,
  source: string,
  problem: string,
  mark: Mark,
  context?: { readonly text: string; readonly mark?: Mark | undefined },
): ConfigError {
  const at = (place: Mark) => `  in "${source}", line ${place.line + 1}, column ${place.column + 1}`;
  const lines: string[] = [];
  if (context !== undefined) {
    lines.push(context.text);
    if (context.mark !== undefined) lines.push(at(context.mark));
  }
  lines.push(problem, at(mark));
  return new ConfigError(exception, lines.join('\n'), { origin: originAt(source, mark) });
}
