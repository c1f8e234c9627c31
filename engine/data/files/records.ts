import { isUtf8 } from 'node:buffer';
import { EngineError } from '../../api/errors.ts';
import { OpenFile } from './openFile.ts';

const chunkSize = 1 << 20;
const newline = 10;
const carriageReturn = 13;

/**
 * Finds where records end. Fed chunk by chunk: gives the place after the next record's end inside the chunk, or -1 when
 * the chunk has none from `from` on.
 */
export interface RecordSplitter {
  next(chunk: Uint8Array, from: number): number;
  /** Whether a carriage return alone ends a line, too. */
  readonly endsAtReturn: boolean;
  /** Whether the file may end here. */
  readonly isClosed: boolean;
}

/** A record is a line. */
export function lineSplitter(): RecordSplitter {
  return { isClosed: true, endsAtReturn: false, next: (chunk, from) => chunk.indexOf(newline, from) + 1 || -1 };
}

/** Called for each record, without its line end, in order; false leaves it out of the index. */
export type OnRecord = (bytes: Uint8Array, line: number) => boolean;

/**
 * The records of a text file, by number: one pass over the file notes where each begins (16 bytes of memory a record),
 * and reading one reads its bytes only. A byte order mark is skipped. Throws `data.text.encoding` with the line of what is
 * no UTF-8, `data.file.*`, and what `onRecord` throws.
 */
export class RecordFile {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #starts = new Growing(Float64Array);
  readonly #lengths = new Growing(Uint32Array);
  readonly #lines = new Growing(Uint32Array);

  constructor(path: string, splitter: RecordSplitter, onRecord: OnRecord) {
    this.path = path;
    this.#file = new OpenFile(path);
    let rest = new Uint8Array(0);
    let start = hasByteOrderMark(this.#file) ? 3 : 0;
    let line = 1;
    const take = (bytes: Uint8Array): void => {
      const length = contentLength(bytes, splitter.endsAtReturn);
      const content = bytes.subarray(0, length);
      if (!isUtf8(content)) throw this.#notUtf8(line);
      if (onRecord(content, line)) {
        this.#starts.push(start);
        this.#lengths.push(length);
        this.#lines.push(line);
      }
      start += bytes.length;
      line += countLines(bytes, splitter.endsAtReturn);
    };
    for (let place = start; place < this.#file.size; place += chunkSize) {
      const chunk = this.#file.readUpTo(place, chunkSize);
      let from = 0;
      for (let end = splitter.next(chunk, 0); end >= 0; end = splitter.next(chunk, end)) {
        const piece = chunk.subarray(from, end);
        take(rest.length === 0 ? piece : Buffer.concat([rest, piece]));
        rest = new Uint8Array(0);
        from = end;
      }
      if (from < chunk.length) rest = Buffer.concat([rest, chunk.subarray(from)]);
    }
    if (!splitter.isClosed) {
      throw new EngineError('data.csv', `${path}:${line}: a quoted field is never closed.`, { path, line });
    }
    if (rest.length > 0) take(rest);
  }

  get length(): number {
    return this.#starts.length;
  }

  /** The text of a record. */
  read(index: number): string {
    return new TextDecoder().decode(this.#file.read(this.#starts.at(index), this.#lengths.at(index)));
  }

  /** The line of the file in which a record begins, from 1. */
  lineOf(index: number): number {
    return this.#lines.at(index);
  }

  #notUtf8(line: number): EngineError {
    return new EngineError(
      'data.text.encoding',
      `${this.path}:${line} is not UTF-8 text. Convert the file, for example with iconv.`,
      { path: this.path, line },
    );
  }
}

function hasByteOrderMark(file: OpenFile): boolean {
  const [first, second, third] = file.readUpTo(0, 3);
  return first === 0xef && second === 0xbb && third === 0xbf;
}

function contentLength(bytes: Uint8Array, endsAtReturn: boolean): number {
  if (endsAtReturn && bytes.at(-1) === carriageReturn) return bytes.length - 1;
  if (bytes.at(-1) !== newline) return bytes.length;
  return bytes.at(-2) === carriageReturn ? bytes.length - 2 : bytes.length - 1;
}

function countLines(bytes: Uint8Array, endsAtReturn: boolean): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  if (!endsAtReturn) return count;
  for (let at = bytes.indexOf(carriageReturn); at >= 0; at = bytes.indexOf(carriageReturn, at + 1)) {
    if (bytes[at + 1] !== newline) count++;
  }
  return count;
}

type NumberArray = Float64Array | Uint32Array;

/** A typed array that grows. */
class Growing {
  readonly #make: new (
    length: number,
  ) => NumberArray;
  #values: NumberArray;
  #length = 0;

  constructor(make: new (length: number) => NumberArray) {
    this.#make = make;
    this.#values = new make(1024);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new this.#make(this.#length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }
}
