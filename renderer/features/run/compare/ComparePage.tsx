import '../run.css';
import './compare.css';
import { X } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { distinctNames } from '../../../lib/distinctNames.ts';
import { formatMetric, formatSetting } from '../../../lib/format.ts';
import { useCompare } from '../../../stores/compare.ts';
import { formatRoute, navigate } from '../../../stores/router.ts';
import { useRuns } from '../../../stores/runs.ts';
import { Button } from '../../../ui/Button.tsx';
import { RunStatusBadge } from '../../../ui/RunStatusBadge.tsx';
import { EmptyState, ErrorNotice } from '../../../ui/states.tsx';
import { WhenLoaded } from '../../../ui/WhenLoaded.tsx';
import type { ChartedRun } from '../chartedRun.ts';
import { MetricCharts } from '../MetricCharts.tsx';
import { CompareTable } from './CompareTable.tsx';
import { differingSettings, finalMetrics } from './comparison.ts';
import { Swatch } from './Swatch.tsx';

/** Several runs in the same charts, and what differs between their configs and results. */
export function ComparePage({ runIds }: { readonly runIds: readonly string[] }) {
  const compared = useCompare((state) => state.compared);
  useEffect(() => useCompare.getState().open(runIds), [runIds]);
  return (
    <div className="page">
      <header className="page__head">
        <h1 className="page__title">Compare runs</h1>
        <div className="page__actions">
          <Button onClick={() => navigate({ page: 'runs' })}>Choose runs</Button>
        </div>
      </header>
      {runIds.length < 2 ? (
        <EmptyState title="Nothing to compare yet" text="Mark two runs or more in the list of runs, then Compare." />
      ) : (
        <WhenLoaded load={compared} label="Reading the runs" onRetry={() => void useCompare.getState().load()}>
          {({ runs, failures }) => (
            <>
              {failures.map(({ runId, error }) => (
                <ErrorNotice key={runId} error={error} onRetry={() => void useCompare.getState().load()} />
              ))}
              {runs.length > 0 && <Comparison runs={runs} runIds={runIds} />}
            </>
          )}
        </WhenLoaded>
      )}
    </div>
  );
}

interface ComparisonProps {
  readonly runs: readonly ChartedRun[];
  readonly runIds: readonly string[];
}

function Comparison({ runs: given, runIds }: ComparisonProps) {
  const runs = useMemo(() => {
    const names = distinctNames(given.map(({ run }) => run));
    return given.map((charted, i) => ({ ...charted, run: { ...charted.run, name: names[i] ?? charted.run.name } }));
  }, [given]);
  const unrecorded = runs.filter(({ run }) => Object.keys(run.hyperparameters).length === 0);
  return (
    <>
      <ul className="compare__runs">
        {runs.map(({ run }, index) => (
          <li key={run.id}>
            <Swatch index={index} />
            <a href={formatRoute({ page: 'run', runId: run.id, tab: 'charts' })}>{run.name}</a>
            <RunStatusBadge status={run.status} />
            <Button
              icon
              look="quiet"
              aria-label={`Leave out ${run.name}`}
              onClick={() => {
                useRuns.getState().select(run.id, false);
                navigate({ page: 'compare', runIds: runIds.filter((id) => id !== run.id) });
              }}
            >
              <X size={14} />
            </Button>
          </li>
        ))}
      </ul>
      {unrecorded.length > 0 && (
        <p className="field__hint">
          The config of {unrecorded.map(({ run }) => run.name).join(', ')} is not recorded: the training had not begun.
        </p>
      )}
      <CompareTable
        title="Settings that differ"
        runs={runs}
        rows={differingSettings(runs.map(({ run }) => run))}
        format={(_, value) => formatSetting(value)}
        empty="No setting differs: the resolved configs are the same."
      />
      {runs.some(({ metrics }) => metrics.length > 0) && <MetricCharts runs={runs} />}
      <CompareTable
        title="Last value of each metric"
        runs={runs}
        rows={finalMetrics(runs)}
        format={(key, value) => formatMetric(key, Number(value))}
        empty="None of these runs logged a metric."
        numeric
      />
    </>
  );
}
