import { EngineError } from '../../api/errors.ts';
import { isPlainObject } from '../collate/collate.ts';
import { Dataset } from '../dataset/dataset.ts';
import { checkOptions, requireText } from '../options.ts';
import { lineSplitter, RecordFile } from './records.ts';

export interface JsonlDatasetOptions {
  readonly path: string;
  /** The field whose numbers are `durations`, for the samplers that batch by length; 'duration' unless given. */
  readonly duration_key?: string;
  /** Whether every line is read once at the start, so that a broken one is told then; true when absent. */
  readonly check?: boolean;
}

/**
 * A file with one JSON value a line; empty lines are left out. One sample is a line's value. Lines are read from the file
 * when asked for, so that it may be larger than memory. Throws `data.jsonl` with file and line.
 */
export class JsonlDataset extends Dataset {
  /** The samples' `duration_key` fields when all have a number there and `check` is on. */
  readonly durations: readonly number[] | undefined;
  readonly #records: RecordFile;

  constructor(options: JsonlDatasetOptions) {
    super();
    checkOptions('JsonlDataset', options, ['path', 'duration_key', 'check']);
    const { duration_key = 'duration', check = true } = options;
    const path = requireText('JsonlDataset', 'path', options.path);
    let durations: number[] | undefined = check ? [] : undefined;
    this.#records = new RecordFile(path, lineSplitter(), (bytes, line) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
      if (text.trim() === '') return false;
      if (!check) return true;
      const value = parseLine(text, path, line);
      const duration = isPlainObject(value) ? value[duration_key] : undefined;
      if (typeof duration === 'number') durations?.push(duration);
      else durations = undefined;
      return true;
    });
    this.durations = durations;
  }

  get length(): number {
    return this.#records.length;
  }

  get(index: number): unknown {
    this.checkIndex(index);
    return parseLine(this.#records.read(index), this.#records.path, this.#records.lineOf(index));
  }
}

function parseLine(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EngineError(
      'data.jsonl',
      `${path}:${line}: not JSON: ${error instanceof Error ? error.message : String(error)}`,
      { path, line },
      { cause: error },
    );
  }
}
