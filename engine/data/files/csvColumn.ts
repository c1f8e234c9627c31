import { EngineError } from '../../api/errors.ts';
import { type HostTensor, hostScalar } from '../hostTensor.ts';

export type CsvDtype = 'float32' | 'int32' | 'bool' | 'string';

export const csvDtypes: readonly CsvDtype[] = ['float32', 'int32', 'bool', 'string'];

/**
 * One column: its dtype is given, or found from all of its fields — int32 when all are whole numbers, float32 when all
 * are numbers (an empty field counts as NaN), else string.
 */
export class CsvColumn {
  readonly name: string;
  readonly place: number;
  readonly #path: string;
  readonly #given: CsvDtype | undefined;
  #isNumber = true;
  #isWhole = true;
  #isFilled = false;

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
    this.#isNumber = text === '' || isNumberText(text);
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

function isInt32Text(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Math.abs(Number(text)) < 2 ** 31;
}
