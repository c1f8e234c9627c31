import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { Dataset } from '../dataset/dataset.ts';
import { checkOptions, requireText } from '../options.ts';
import { CsvColumn, type CsvDtype, csvDtypes } from './csvColumn.ts';
import { checkDelimiter, csvSplitter, splitFields } from './csvFile.ts';
import { RecordFile } from './records.ts';

export interface CsvDatasetOptions {
  readonly path: string;
  /** ',' unless given; a tab for files that end in .tsv. */
  readonly delimiter?: string | null;
  /** Whether the first row names the columns; otherwise they are '0', '1', …. True when absent. */
  readonly header?: boolean;
  /** Columns to keep, all when absent. */
  readonly columns?: readonly string[] | null;
  /** dtypes of columns by name: float32, int32, bool or string; found from the whole file where absent. */
  readonly dtypes?: Readonly<Record<string, CsvDtype>> | null;
  /** The column whose numbers are `durations`, for the samplers that batch by length; 'duration' unless given. */
  readonly duration_key?: string;
}

/**
 * A CSV or TSV file (RFC 4180). One sample is a row as an object: column → scalar of float32, int32 or bool, or text. A
 * column whose every field is a whole number is int32, one of numbers float32 (an empty field is NaN), any other string;
 * one of whole numbers that would be rounded so is refused.
 *
 * The file is gone through once to check it and to note where each row begins; rows are then read from the file, so that
 * it may be larger than memory. Throws `data.csv*` with file and line, `data.text.encoding`, `data.file.*`.
 */
export class CsvDataset extends Dataset<Record<string, unknown>> {
  readonly columns: readonly string[];
  /** The numbers of `duration_key`, when the file has that column. */
  readonly durations: readonly number[] | undefined;
  readonly #delimiter: string;
  readonly #records: RecordFile;
  readonly #kept: readonly CsvColumn[];

  constructor(options: CsvDatasetOptions) {
    super();
    checkOptions('CsvDataset', options, ['path', 'delimiter', 'header', 'columns', 'dtypes', 'duration_key']);
    const { duration_key = 'duration' } = options;
    const path = requireText('CsvDataset', 'path', options.path);
    this.#delimiter = checkDelimiter(options.delimiter ?? (path.endsWith('.tsv') ? '\t' : ','));
    let table: TableColumns | undefined;
    const durations: number[] = [];
    this.#records = new RecordFile(path, csvSplitter(this.#delimiter), (bytes, line) => {
      if (bytes.length === 0) return false;
      const fields = splitFields(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(), this.#delimiter);
      const isHeader = table === undefined && (options.header ?? true);
      table ??= readColumns(options, isHeader ? fields : fields.map((_, i) => String(i)));
      if (fields.length !== table.names.length) throw wrongWidth(path, line, fields.length, table.names.length);
      if (isHeader) return false;
      for (const column of table.kept) column.look(fields[column.place] ?? '', line);
      if (table.duration >= 0) durations.push(Number(fields[table.duration]));
      return true;
    });
    this.#kept = table?.kept ?? [];
    for (const column of this.#kept) column.refuseRounding();
    this.columns = this.#kept.map((column) => column.name);
    this.durations = table?.names.includes(duration_key) ? durations : undefined;
  }

  get length(): number {
    return this.#records.length;
  }

  get(index: number): Record<string, unknown> {
    this.checkIndex(index);
    const fields = splitFields(this.#records.read(index), this.#delimiter);
    const line = this.#records.lineOf(index);
    return Object.fromEntries(this.#kept.map((column) => [column.name, column.read(fields[column.place] ?? '', line)]));
  }
}

interface TableColumns {
  readonly names: readonly string[];
  readonly kept: readonly CsvColumn[];
  readonly duration: number;
}

function readColumns(options: CsvDatasetOptions, names: readonly string[]): TableColumns {
  const { path, duration_key = 'duration' } = options;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new EngineError('data.csv.column', `${path}:1: the column '${twice}' is there twice. Rename one of them.`, {
      path,
      column: twice,
    });
  }
  for (const [column, dtype] of Object.entries(options.dtypes ?? {})) {
    if (!names.includes(column)) throw noColumn(path, column, names);
    if (!csvDtypes.includes(dtype)) {
      throw new EngineError(
        'options.invalid',
        `CsvDataset: the dtype of column '${column}' must be one of ${csvDtypes.join(', ')}; it is ${JSON.stringify(dtype)}.`,
        { column, dtype },
      );
    }
  }
  const kept = (options.columns ?? names).map((column) => {
    const place = names.indexOf(column);
    if (place < 0) throw noColumn(path, column, names);
    return new CsvColumn(path, column, place, options.dtypes?.[column]);
  });
  return { names, kept, duration: names.indexOf(duration_key) };
}

function noColumn(path: string, column: string, names: readonly string[]): EngineError {
  return new EngineError(
    'data.csv.column',
    `${path} has no column '${column}'.${didYouMean(column, names)} Its columns: ${names.join(', ')}.`,
    { path, column, columns: names },
  );
}

function wrongWidth(path: string, line: number, found: number, wanted: number): EngineError {
  return new EngineError(
    'data.csv',
    `${path}:${line}: this row has ${found} fields, the first has ${wanted}. Quote fields that hold the delimiter or a line end, or set another delimiter.`,
    { path, line, found, wanted },
  );
}
