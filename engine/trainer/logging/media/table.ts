import { EngineError } from '../../../api/errors.ts';

export type TableCell = string | number | boolean | null;

/** Rows of cells under named columns. */
export interface LoggedTable {
  readonly columns: readonly string[];
  readonly data: readonly (readonly TableCell[])[];
}

/** Throws `trainer.media` when a row has another length than there are columns, or a cell is not a plain value. */
export function checkTable(table: LoggedTable, key: string): LoggedTable {
  const { columns, data } = table;
  data.forEach((row, index) => {
    if (row.length !== columns.length) {
      throw new EngineError(
        'trainer.media',
        `'${key}': row ${index} has ${row.length} cells, but there are ${columns.length} columns (${columns.join(', ')}).`,
        { key, row: index },
      );
    }
    const odd = row.findIndex((cell) => cell !== null && !['string', 'number', 'boolean'].includes(typeof cell));
    if (odd !== -1) {
      throw new EngineError(
        'trainer.media',
        `'${key}': the cell of row ${index} under '${columns[odd]}' is not a text, a number, a boolean or null. Read tensors first: await tensor.data().`,
        { key, row: index, column: columns[odd] },
      );
    }
  });
  return { columns: [...columns], data: data.map((row) => [...row]) };
}

/** JSON has no NaN and no infinities: they are written as their names. */
export function tableJson(table: LoggedTable): string {
  return JSON.stringify(table, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

/** A Markdown table (GitHub's), for readers that know text only. */
export function tableMarkdown({ columns, data }: LoggedTable): string {
  const line = (cells: readonly TableCell[]) =>
    `| ${cells
      .map((cell) =>
        String(cell ?? '')
          .replaceAll('|', '\\|')
          .replaceAll(/\r?\n/g, ' '),
      )
      .join(' | ')} |`;
  return [line(columns), `|${' --- |'.repeat(columns.length)}`, ...data.map(line)].join('\n');
}
