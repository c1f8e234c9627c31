import { Dataset } from '../dataset/dataset.ts';
import { checkOptions, requireText } from '../options.ts';
import { lineSplitter, RecordFile } from './records.ts';

export interface TextLinesDatasetOptions {
  readonly path: string;
  /** Leaves out lines without any text; true when absent. */
  readonly skip_empty?: boolean;
}

/**
 * A text file in UTF-8; one sample is a line, without its end. `durations` are the lines' lengths in characters (code
 * points). Lines are read from the file when asked for, so that it may be larger than memory. Throws `data.text.encoding`
 * with file and line, `data.file.*`.
 */
export class TextLinesDataset extends Dataset<string> {
  readonly durations: readonly number[];
  readonly #records: RecordFile;

  constructor(options: TextLinesDatasetOptions) {
    super();
    checkOptions('TextLinesDataset', options, ['path', 'skip_empty']);
    const skipEmpty = options.skip_empty ?? true;
    const durations: number[] = [];
    this.#records = new RecordFile(requireText('TextLinesDataset', 'path', options.path), lineSplitter(), (bytes) => {
      if (skipEmpty && isBlank(bytes)) return false;
      durations.push(countCharacters(bytes));
      return true;
    });
    this.durations = durations;
  }

  get length(): number {
    return this.#records.length;
  }

  get(index: number): string {
    this.checkIndex(index);
    return this.#records.read(index);
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 32 || (byte >= 9 && byte <= 13));
}

/** Every byte of UTF-8 but the continuing ones begins a character. */
function countCharacters(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}
