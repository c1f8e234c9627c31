import { classNames } from '../../../lib/classNames.ts';
import { formatRoute } from '../../../stores/router.ts';
import { Panel } from '../../../ui/Panel.tsx';
import type { ChartedRun } from '../chartedRun.ts';
import type { ComparedValue } from './comparison.ts';
import { Swatch } from './Swatch.tsx';

export interface CompareTableProps {
  readonly title: string;
  readonly runs: readonly ChartedRun[];
  readonly rows: readonly ComparedValue[];
  readonly format: (key: string, value: unknown) => string;
  /** What it means that there is no row. */
  readonly empty: string;
  readonly numeric?: boolean;
}

/** One row a key, one column a run. */
export function CompareTable({ title, runs, rows, format, empty, numeric }: CompareTableProps) {
  return (
    <Panel title={title} flush={rows.length > 0}>
      {rows.length === 0 ? (
        <p className="field__hint">{empty}</p>
      ) : (
        <div className="run__scroll">
          <table className="table table--stacks compare__table">
            <thead>
              <tr>
                <th>
                  <span className="visually-hidden">Name</span>
                </th>
                {runs.map(({ run }, index) => (
                  <th key={run.id} className={classNames(numeric && 'numeric')}>
                    <Swatch index={index} />{' '}
                    <a href={formatRoute({ page: 'run', runId: run.id, tab: 'charts' })}>{run.name}</a>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, values }) => (
                <tr key={key}>
                  <td className="mono compare__key">{key}</td>
                  {runs.map(({ run }, index) => (
                    <td key={run.id} data-label={run.name} className={classNames('mono', numeric && 'numeric')}>
                      {values[index] === undefined ? '–' : format(key, values[index])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
