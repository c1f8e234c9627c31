import { useMemo, useState } from 'react';
import { useSettings } from '../../stores/settings.ts';
import { SearchInput } from '../../ui/SearchInput.tsx';
import { EmptyState } from '../../ui/states.tsx';
import type { ChartedLine, ChartedRun } from './chartedRun.ts';
import { MetricChart, type XAxis } from './MetricChart.tsx';

/** One chart a metric with a line for each run that has it, grouped by the part of the key before the first slash. */
export function MetricCharts({ runs }: { readonly runs: readonly ChartedRun[] }) {
  const [filter, setFilter] = useState('');
  const [xAxis, setXAxis] = useState<XAxis>('step');
  const [logScale, setLogScale] = useState(false);
  const smoothing = useSettings((state) => state.settings.data?.chartSmoothing ?? 0);
  const groups = useMemo(() => grouped(runs, filter), [runs, filter]);
  return (
    <div className="charts">
      <div className="charts__bar">
        <SearchInput label="Filter metrics" value={filter} onChange={setFilter} className="charts__filter" />
        <label className="charts__option">
          X axis
          <select className="select" value={xAxis} onChange={(event) => setXAxis(event.target.value as XAxis)}>
            <option value="step">step</option>
            <option value="epoch">epoch</option>
            <option value="time">time</option>
          </select>
        </label>
        <label className="charts__option">
          <input type="checkbox" checked={logScale} onChange={(event) => setLogScale(event.target.checked)} /> Log scale
        </label>
        <label className="charts__option">
          Smoothing
          <input
            type="range"
            min={0}
            max={0.98}
            step={0.02}
            value={smoothing}
            onChange={(event) => void useSettings.getState().update({ chartSmoothing: Number(event.target.value) })}
          />
          <span className="charts__number">{smoothing.toFixed(2)}</span>
        </label>
      </div>
      {groups.length === 0 && <EmptyState title="No metric matches" />}
      {groups.map(([group, metrics]) => (
        <section key={group} aria-label={group}>
          <h2 className="charts__group">{group}</h2>
          <div className="charts__grid">
            {[...metrics].map(([key, lines]) => (
              <MetricChart
                key={key}
                title={key}
                lines={lines}
                hasLegend={runs.length > 1}
                xAxis={xAxis}
                logScale={logScale}
                smoothing={smoothing}
              />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

const ORDER = ['val', 'train'];

/** By group and key, the lines of the runs that logged it. */
function grouped(runs: readonly ChartedRun[], filter: string): [string, Map<string, ChartedLine[]>][] {
  const wanted = filter.trim().toLowerCase();
  const groups = new Map<string, Map<string, ChartedLine[]>>();
  for (const [index, { run, metrics }] of runs.entries()) {
    for (const metric of metrics) {
      const { key } = metric;
      if (wanted && !key.toLowerCase().includes(wanted)) continue;
      const slash = key.indexOf('/');
      const name = slash > 0 ? key.slice(0, slash) : 'metrics';
      const group = groups.get(name) ?? new Map<string, ChartedLine[]>();
      groups.set(name, group.set(key, [...(group.get(key) ?? []), { run, metric, index }]));
    }
  }
  const rank = (group: string) => (ORDER.includes(group) ? ORDER.indexOf(group) : ORDER.length);
  return [...groups].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}
