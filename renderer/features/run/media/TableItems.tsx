import { useState } from 'react';
import { z } from 'zod';
import type { MediaNotice } from '../../../../engine/api/media.ts';
import { formatCount } from '../../../../engine/base/format.ts';
import { formatNumber } from '../../../lib/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { Spinner } from '../../../ui/states.tsx';
import { useMediaFile } from './useMediaFile.ts';

const Cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Table = z.object({ columns: z.array(z.string()), data: z.array(z.array(Cell)) });
type Cell = z.infer<typeof Cell>;

/** Rows on screen before the rest is asked for. */
const FIRST_ROWS = 100;

export function TableItems({ runId, items }: { readonly runId: string; readonly items: readonly MediaNotice[] }) {
  return (
    <>
      {items.map((notice) => (
        <LoggedTable key={notice.item} runId={runId} notice={notice} />
      ))}
    </>
  );
}

function LoggedTable({ runId, notice }: { readonly runId: string; readonly notice: MediaNotice }) {
  const { data, error } = useMediaFile(runId, notice);
  const [isWhole, setWhole] = useState(false);
  if (error) return <p className="images__gone">{error.message}</p>;
  if (!data) return <Spinner />;
  const table = parse(data.text ?? '');
  if (!table) return <p className="images__gone">This file is no table: {notice.path}</p>;
  const rows = isWhole ? table.data : table.data.slice(0, FIRST_ROWS);
  // rows never move, so that their number names them
  const numbers = new Map(rows.map((row, number) => [row, number]));
  const isNumeric = table.columns.map((_, column) => table.data.every((row) => typeof (row[column] ?? 0) === 'number'));
  return (
    <div className="tables">
      <section className="tables__scroll" tabIndex={0} aria-label={`${notice.key}, step ${notice.step}`}>
        <table className="table tables__table">
          <thead>
            <tr>
              {table.columns.map((column, index) => (
                <th key={`${index} ${column}`} className={isNumeric[index] ? 'numeric' : undefined}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={numbers.get(row)}>
                {table.columns.map((column, index) => (
                  <td key={`${index} ${column}`} className={isNumeric[index] ? 'numeric' : undefined}>
                    {cellText(row[index] ?? null)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {table.data.length === 0 && <p className="media__facts">The table has no rows.</p>}
      {rows.length < table.data.length && (
        <Button onClick={() => setWhole(true)}>Show all {formatCount(table.data.length)} rows</Button>
      )}
    </div>
  );
}

function parse(text: string): z.infer<typeof Table> | undefined {
  try {
    return Table.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function cellText(cell: Cell): string {
  if (cell === null) return '–';
  return typeof cell === 'number' ? formatNumber(cell, 6) : String(cell);
}
