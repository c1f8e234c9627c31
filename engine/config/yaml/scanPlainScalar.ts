import { type Cursor, isBlank, isBlankOrEnd, isBreak, TAB } from './cursor.ts';
import { yamlError } from './mark.ts';
import { LineFolder } from './scanFlowScalar.ts';
import type { Token } from './token.ts';

const COLON = 0x3a;
const HASH = 0x23;

export interface PlainScalarContext {
  readonly source: string;
  readonly inFlow: boolean;
  /** The indentation of the surrounding block, -1 at the top. */
  readonly indent: number;
}

/** Reads an unquoted scalar. `endsAtLineStart` is true when a simple key may begin right after it. */
export function scanPlainScalar(
  cursor: Cursor,
  { source, inFlow, indent }: PlainScalarContext,
): { readonly token: Token; readonly endsAtLineStart: boolean } {
  const start = cursor.mark();
  const folder = new LineFolder();
  let end = start;
  let value = '';
  for (;;) {
    if (cursor.atDocumentIndicator(0x2d) || cursor.atDocumentIndicator(0x2e) || cursor.peek() === HASH) break;
    const runStart = cursor.index;
    let code = cursor.peek();
    while (!isBlankOrEnd(code)) {
      if (code === COLON) {
        const next = cursor.peek(1);
        if (inFlow && isFlowIndicator(next, true)) {
          throw yamlError('ScannerError', source, "found unexpected ':'", cursor.mark(), {
            text: 'while scanning a plain scalar',
            mark: start,
          });
        }
        if (isBlankOrEnd(next)) break;
      } else if (inFlow && isFlowIndicator(code, false)) {
        break;
      }
      cursor.skip();
      code = cursor.peek();
    }
    if (cursor.index > runStart) {
      if (folder.isPending) value += folder.flush();
      value += cursor.text.slice(runStart, cursor.index);
      end = cursor.mark();
    }
    code = cursor.peek();
    if (!isBlank(code) && !isBreak(code)) break;
    skipSpace(cursor, source, folder, start, indent + 1);
    if (!inFlow && cursor.column < indent + 1) break;
  }
  return { token: { type: 'scalar', value, style: 'plain', start, end }, endsAtLineStart: folder.brokeLine };
}

function skipSpace(
  cursor: Cursor,
  source: string,
  folder: LineFolder,
  start: ReturnType<Cursor['mark']>,
  indent: number,
): void {
  for (let code = cursor.peek(); isBlank(code) || isBreak(code); code = cursor.peek()) {
    if (isBreak(code)) {
      folder.addBreak(cursor.readBreak());
      continue;
    }
    if (folder.brokeLine && code === TAB && cursor.column < indent) {
      throw yamlError('ScannerError', source, 'found a tab character that violates indentation', cursor.mark(), {
        text: 'while scanning a plain scalar',
        mark: start,
      });
    }
    folder.addBlank(cursor.text[cursor.index] ?? '');
    cursor.skip();
  }
}

/** One of `, [ ] { }`, with `withQuestionMark` also `?`. */
function isFlowIndicator(code: number, withQuestionMark: boolean): boolean {
  return (
    code === 0x2c ||
    code === 0x5b ||
    code === 0x5d ||
    code === 0x7b ||
    code === 0x7d ||
    (withQuestionMark && code === 0x3f)
  );
}
