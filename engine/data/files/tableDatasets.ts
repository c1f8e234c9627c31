import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { isPlainObject } from '../collate/collate.ts';
import { Dataset } from '../dataset/dataset.ts';
import { type HostDtype, hostScalar } from '../hostTensor.ts';
import { checkOptions } from '../options.ts';
import { readCsvFile, readJsonlFile, type Table } from './csvFile.ts';

export interface CsvDatasetOptions {
  readonly path: string;
  readonly delimiter?: string;
  readonly header?: boolean;
  /** Columns to keep, all when absent. */
  readonly columns?: readonly string[] | null;
}

/**
 * One sample is a row as an object. A column whose every field is a number gives numbers (int32 when all of them are
 * whole, float32 otherwise; an empty field counts as NaN), every other column strings.
 */
export class CsvDataset extends Dataset<Record<string, unknown>> {
  readonly columns: readonly string[];
  readonly length: number;
  readonly #values: readonly (readonly unknown[])[];

  constructor(options: CsvDatasetOptions) {
    super();
    checkOptions('CsvDataset', options, ['path', 'delimiter', 'header', 'columns']);
    const { path, delimiter = ',', header = true } = options;
    const table = readCsvFile(path, { delimiter, header });
    this.columns = options.columns ?? table.columns;
    this.length = table.rows.length;
    this.#values = this.columns.map((column) => readColumn(table, column, path));
  }

  get(index: number): Record<string, unknown> {
    this.checkIndex(index);
    return Object.fromEntries(this.columns.map((column, i) => [column, this.#values[i]?.[index]]));
  }
}

function readColumn(table: Table, column: string, path: string): readonly unknown[] {
  const place = table.columns.indexOf(column);
  if (place < 0) {
    throw new EngineError(
      'data.csv.column',
      `${path} has no column '${column}'.${didYouMean(column, table.columns)} Its columns: ${table.columns.join(', ')}.`,
      { path, column, columns: table.columns },
    );
  }
  const fields = table.rows.map((row) => row[place] ?? '');
  const dtype = columnKind(fields);
  return dtype === undefined
    ? fields
    : fields.map((field) => hostScalar(field.trim() === '' ? Number.NaN : Number(field), dtype));
}

function columnKind(fields: readonly string[]): HostDtype | undefined {
  let whole = true;
  let seen = false;
  for (const field of fields) {
    const text = field.trim();
    const value = Number(text);
    if (text !== '' && Number.isNaN(value) && text.toLowerCase() !== 'nan') return undefined;
    seen ||= text !== '';
    whole &&= text !== '' && /^[+-]?\d+$/.test(text) && Math.abs(value) < 2 ** 31;
  }
  if (!seen) return undefined;
  return whole ? 'int32' : 'float32';
}

export interface JsonlDatasetOptions {
  readonly path: string;
}

/** One sample is a line's JSON value. */
export class JsonlDataset extends Dataset {
  readonly samples: readonly unknown[];
  /** The samples' `duration` fields when all have one, for the bucket sampler. */
  readonly durations: readonly number[] | undefined;

  constructor(options: JsonlDatasetOptions) {
    super();
    checkOptions('JsonlDataset', options, ['path']);
    this.samples = readJsonlFile(options.path);
    const durations = this.samples.map((sample) => (isPlainObject(sample) ? sample.duration : undefined));
    this.durations = durations.every(isNumber) ? durations : undefined;
  }

  get length(): number {
    return this.samples.length;
  }

  get(index: number): unknown {
    this.checkIndex(index);
    return this.samples[index];
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
