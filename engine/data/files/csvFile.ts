import { EngineError } from '../../api/errors.ts';
import { readTextFile, splitLines } from './textFile.ts';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads RFC 4180 CSV: quoted fields may hold the delimiter, line breaks and doubled quotes. Throws `data.csv` with the
 * line for an open quote or a row whose number of fields differs from the first.
 */
export function parseCsv(text: string, path: string, delimiter = ','): readonly (readonly string[])[] {
  const rows: string[][] = [];
  const starts: number[] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  let line = 1;
  let rowLine = 1;
  const endRow = (): void => {
    row.push(field);
    field = '';
    if (row.length > 1 || row[0] !== '') {
      rows.push(row);
      starts.push(rowLine);
    }
    row = [];
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\n') line++;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[++i];
      else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === delimiter) {
      row.push(field);
      field = '';
    } else if (character === '\n') {
      endRow();
      rowLine = line;
    } else if (character !== '\r' || text[i + 1] !== '\n') field += character;
  }
  if (quoted)
    throw new EngineError('data.csv', `${path}:${rowLine}: a quoted field is never closed.`, { path, line: rowLine });
  if (field !== '' || row.length > 0) endRow();
  const width = rows[0]?.length ?? 0;
  const odd = rows.findIndex((fields) => fields.length !== width);
  if (odd >= 0) {
    throw new EngineError(
      'data.csv',
      `${path}:${starts[odd]}: this row has ${rows[odd]?.length} fields, the first has ${width}.`,
      { path, line: starts[odd] },
    );
  }
  return rows;
}

export interface TableOptions {
  readonly delimiter?: string;
  /** Whether the first row names the columns; otherwise they are '0', '1', …. */
  readonly header?: boolean;
}

export function readCsvFile(path: string, options: TableOptions = {}): Table {
  const rows = parseCsv(readTextFile(path), path, options.delimiter ?? ',');
  if (options.header ?? true) return { columns: rows[0] ?? [], rows: rows.slice(1) };
  return { columns: (rows[0] ?? []).map((_, i) => String(i)), rows };
}

/** One JSON value a line. Throws `data.jsonl` with the line. */
export function readJsonlFile(path: string): unknown[] {
  return splitLines(readTextFile(path)).flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      const value: unknown = JSON.parse(line);
      return [value];
    } catch (error) {
      throw new EngineError(
        'data.jsonl',
        `${path}:${i + 1}: not JSON: ${error instanceof Error ? error.message : String(error)}`,
        { path, line: i + 1 },
        { cause: error },
      );
    }
  });
}
