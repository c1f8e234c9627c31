import { readFileSync } from 'node:fs';
import { EngineError } from '../../api/errors.ts';

/** Reads a UTF-8 file whole, without a byte order mark. Throws `data.text.read` or `data.text.encoding`. */
export function readTextFile(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new EngineError(
      'data.text.read',
      `The file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { path },
      { cause: error },
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new EngineError(
      'data.text.encoding',
      `${path} is not UTF-8 text. Convert it, for example with iconv.`,
      { path },
      { cause: error },
    );
  }
}
