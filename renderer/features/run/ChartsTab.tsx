import { useMemo } from 'react';
import type { MetricKey, RunDetail } from '../../../engine/api/runModel.ts';
import { useRun } from '../../stores/run.ts';
import { isLive } from '../../stores/runs.ts';
import { EmptyState } from '../../ui/states.tsx';
import { WhenLoaded } from '../../ui/WhenLoaded.tsx';
import { MetricCharts } from './MetricCharts.tsx';

export function ChartsTab({ run }: { readonly run: RunDetail }) {
  const keys = useRun((state) => state.keys);
  return (
    <WhenLoaded load={keys} label="Reading metrics" onRetry={() => void useRun.getState().loadKeys()}>
      {(metrics) =>
        metrics.length > 0 ? (
          <RunCharts run={run} metrics={metrics} />
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

function RunCharts({ run, metrics }: { readonly run: RunDetail; readonly metrics: readonly MetricKey[] }) {
  return <MetricCharts runs={useMemo(() => [{ run, metrics }], [run, metrics])} />;
}
