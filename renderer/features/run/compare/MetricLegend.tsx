import { formatMetric } from '../../../lib/format.ts';
import type { ChartedLine } from '../chartedRun.ts';
import { bestOf } from './comparison.ts';
import { Swatch } from './Swatch.tsx';

/** The runs of a chart by colour, with their last value and how far they came: the best of a metric that is monitored. */
export function MetricLegend({ title, lines }: { readonly title: string; readonly lines: readonly ChartedLine[] }) {
  const { mode, leader } = bestOf(title, lines);
  const value = (number: number | undefined) => (number === undefined ? '–' : formatMetric(title, number));
  return (
    <table className="legend">
      <thead>
        <tr>
          <th>
            <span className="visually-hidden">Run</span>
          </th>
          <th>last</th>
          {mode !== 'max' && <th>{mode === 'min' ? 'best' : 'lowest'}</th>}
          {mode !== 'min' && <th>{mode === 'max' ? 'best' : 'highest'}</th>}
        </tr>
      </thead>
      <tbody>
        {lines.map(({ run, metric, index }) => (
          <tr key={run.id} className={run.id === leader ? 'legend__leader' : undefined}>
            <td>
              <span className="legend__name" title={run.name}>
                <Swatch index={index} />
                <span>{run.name}</span>
              </span>
            </td>
            <td>{value(metric.lastValue)}</td>
            {mode !== 'max' && <td>{value(metric.minimum)}</td>}
            {mode !== 'min' && <td>{value(metric.maximum)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
