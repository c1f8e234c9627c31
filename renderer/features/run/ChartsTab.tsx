import { useMemo, useState } from 'react';
import type { MetricKey, RunDetail } from '../../../engine/api/runModel.ts';
import { useRun } from '../../stores/run.ts';
import { isLive } from '../../stores/runs.ts';
import { useSettings } from '../../stores/settings.ts';
import { EmptyState } from '../../ui/states.tsx';
import { WhenLoaded } from '../../ui/WhenLoaded.tsx';
import { MetricChart, type XAxis } from './MetricChart.tsx';

export function ChartsTab({ run }: { readonly run: RunDetail }) {
  const keys = useRun((state) => state.keys);
  return (
    <WhenLoaded load={keys} label="Reading metrics" onRetry={() => void useRun.getState().loadKeys()}>
      {(metrics) =>
        metrics.length > 0 ? (
          <Charts run={run} metrics={metrics} />
        ) : (
          <EmptyState
            title="No metrics yet"
            text={
              isLive(run.status)
                ? 'The first points appear as soon as the training logs them (trainer.log_every_n_steps).'
                : 'This run ended before it logged anything. Its logs say why.'
            }
          />
        )
      }
    </WhenLoaded>
  );
}

/** One chart a metric, grouped by the part of the key before the first slash. */
function Charts({ run, metrics: all }: { readonly run: RunDetail; readonly metrics: readonly MetricKey[] }) {
  const [filter, setFilter] = useState('');
  const [xAxis, setXAxis] = useState<XAxis>('step');
  const [logScale, setLogScale] = useState(false);
  const smoothing = useSettings((state) => state.settings.data?.chartSmoothing ?? 0);
  const groups = useMemo(() => grouped(all, filter), [all, filter]);
  return (
    <div className="charts">
      <div className="charts__bar">
        <input
          type="search"
          className="input charts__filter"
          aria-label="Filter metrics"
          placeholder="Filter metrics"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
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
            {metrics.map((metric) => (
              <MetricChart
                key={metric.key}
                run={run}
                metric={metric}
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

function grouped(keys: readonly MetricKey[], filter: string): [string, MetricKey[]][] {
  const wanted = filter.trim().toLowerCase();
  const groups = new Map<string, MetricKey[]>();
  for (const key of keys) {
    if (wanted && !key.key.toLowerCase().includes(wanted)) continue;
    const slash = key.key.indexOf('/');
    const group = slash > 0 ? key.key.slice(0, slash) : 'metrics';
    groups.set(group, [...(groups.get(group) ?? []), key]);
  }
  const rank = (group: string) => (ORDER.includes(group) ? ORDER.indexOf(group) : ORDER.length);
  return [...groups].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}
