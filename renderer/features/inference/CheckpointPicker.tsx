import { type RunSummary, taskOverrides } from '../../../engine/api/runModel.ts';
import { formatNumber } from '../../lib/format.ts';
import { useInference } from '../../stores/inference.ts';
import { navigate } from '../../stores/router.ts';
import { useRuns } from '../../stores/runs.ts';

export interface CheckpointPickerProps {
  readonly runId: string | undefined;
  readonly checkpoint: string | undefined;
}

export function CheckpointPicker({ runId, checkpoint }: CheckpointPickerProps) {
  // the fallbacks stay outside of the selectors: a new array each time would never compare equal
  const runs = useRuns((state) => state.list.data?.runs) ?? [];
  const checkpoints = useInference((state) => state.checkpoints.data) ?? [];
  const isShared = ({ id, name }: RunSummary) => runs.some((other) => other.name === name && other.id !== id);
  return (
    <div className="inference__pickers">
      <select
        className="select"
        aria-label="Run"
        value={runId ?? ''}
        onChange={(event) => navigate({ page: 'inference', runId: event.target.value })}
      >
        <option value="" disabled>
          Run…
        </option>
        {runs.map((run) => (
          <option key={run.id} value={run.id}>
            {run.name} ({run.status}){isShared(run) && `, ${taskOverrides(run).join(' ') || run.id}`}
          </option>
        ))}
      </select>
      <select
        className="select"
        aria-label="Checkpoint"
        value={checkpoint ?? ''}
        disabled={runId === undefined}
        onChange={(event) => runId && navigate({ page: 'inference', runId, checkpoint: event.target.value })}
      >
        <option value="" disabled>
          {runId !== undefined && checkpoints.length === 0 ? 'No checkpoints' : 'Checkpoint…'}
        </option>
        {checkpoints.map((item) => (
          <option key={item.path} value={item.path} disabled={item.missing}>
            {item.name}
            {Object.entries(item.metrics)
              .slice(0, 2)
              .map(([key, value]) => `, ${key} ${formatNumber(value)}`)
              .join('')}
          </option>
        ))}
      </select>
    </div>
  );
}
