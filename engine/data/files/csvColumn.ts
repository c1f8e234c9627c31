import { EngineError } from '../../api/errors.ts';
import { type HostTensor, hostScalar } from '../hostTensor.ts';

export type CsvDtype = 'float32' | 'int32' | 'bool' | 'string';

export const csvDtypes: readonly CsvDtype[] = ['float32', 'int32', 'bool', 'string'];

/**
 * One column: its dtype is given, or found from all of its fields — int32 when all are whole numbers, float32 when all
 * are numbers (an empty field counts as NaN), else string. Whole numbers that neither int32 nor float32 holds (ids, times in
 * milliseconds) are not rounded unasked: see `refuseRounding`.
 */
export class CsvColumn {
  readonly name: string;
  readonly place: number;
  readonly #path: string;
  readonly #given: CsvDtype | undefined;
  #isNumber = true;
  #isWhole = true;
  #isFilled = false;
  /** Whether all numbers are whole, empty fields aside. */
  #isCount = true;
  /** The first number beyond 2 ** 24 that float32 would round, and where it is. */
  #rounded: { readonly field: string; readonly line: number } | undefined;

  constructor(path: string, name: string, place: number, dtype: CsvDtype | undefined) {
    this.#path = path;
    this.name = name;
    this.place = place;
    this.#given = dtype;
  }

  get dtype(): CsvDtype {
    if (this.#given !== undefined) return this.#given;
    if (!this.#isNumber || !this.#isFilled) return 'string';
    return this.#isWhole ? 'int32' : 'float32';
  }

  /** Looks at a field while the file is indexed. Throws `data.csv.value` where a given dtype does not fit. */
  look(field: string, line: number): void {
    if (this.#given !== undefined) {
      this.read(field, line);
      return;
    }
    if (!this.#isNumber) return;
    const text = field.trim();
    this.#isFilled ||= text !== '';
    this.#isWhole &&= isInt32Text(text);
    this.#isCount &&= text === '' || isWholeText(text);
    if (isWholeText(text) && Math.fround(Number(text)) !== Number(text)) this.#rounded ??= { field: text, line };
    this.#isNumber = text === '' || isNumberText(text);
  }

  /** After all fields were looked at. Throws `data.csv.rounded` where float32 would change a column of whole numbers. */
  refuseRounding(): void {
    if (this.#given !== undefined || this.dtype !== 'float32' || !this.#isCount || this.#rounded === undefined) return;
    const { field, line } = this.#rounded;
    const name = JSON.stringify(this.name);
    throw new EngineError(
      'data.csv.rounded',
      `${this.#path}:${line}: ${field} in column '${this.name}' would lose its last digits: the column's whole numbers do not all fit int32 (up to 2,147,483,647, no empty fields), and float32 holds them exactly only up to 16,777,216. Keep it as text with dtypes: {${name}: string}, have it rounded with dtypes: {${name}: float32}, or leave it out of columns.`,
      { path: this.#path, line, column: this.name, field },
    );
  }

  /** The field's value: a scalar of the column's dtype, or text as it stands. */
  read(field: string, line: number): HostTensor | string {
    const { dtype } = this;
    const text = field.trim();
    if (dtype === 'string') return field;
    if (dtype === 'float32' && (text === '' || isNumberText(text))) {
      return hostScalar(text === '' || text.toLowerCase() === 'nan' ? Number.NaN : Number(text), 'float32');
    }
    if (dtype === 'int32' && isInt32Text(text)) return hostScalar(Number(text), 'int32');
    if (dtype === 'bool' && /^(true|false|0|1)$/i.test(text)) {
      return { data: Uint8Array.of(/^(true|1)$/i.test(text) ? 1 : 0), shape: [], dtype };
    }
    throw new EngineError(
      'data.csv.value',
      `${this.#path}:${line}: ${JSON.stringify(field)} in column '${this.name}' is no ${dtype}. Correct it, or give the column another dtype.`,
      { path: this.#path, line, column: this.name, field, dtype },
    );
  }
}

function isNumberText(text: string): boolean {
  return text.toLowerCase() === 'nan' || (text !== '' && !Number.isNaN(Number(text)));
}

function isWholeText(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}

function isInt32Text(text: string): boolean {
  return isWholeText(text) && Number(text) === (Number(text) | 0);
}
