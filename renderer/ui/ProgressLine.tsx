import type { Progress, StepForm } from '../../engine/api/training.ts';
import { formatCount, formatDuration } from '../../engine/base/format.ts';
import { formatNumber } from '../lib/format.ts';

const STEPS: Readonly<Record<StepForm, string>> = {
  graph: 'steps run as one graph',
  'graph-beside-script': 'steps run as one graph, their JavaScript beside it',
  'single-operations': 'steps run one operation at a time, the log says why',
};

/** A bar with where the training is, how fast, and how long it still takes. */
export function ProgressLine({ progress, compact }: { readonly progress: Progress; readonly compact?: boolean }) {
  const share = progress.totalSteps > 0 ? Math.min(1, progress.step / progress.totalSteps) : 0;
  const percent = Math.round(share * 100);
  const facts = [
    `epoch ${Math.min(progress.epoch + 1, progress.epochs)}/${progress.epochs}`,
    `step ${formatCount(progress.step)}/${formatCount(progress.totalSteps)}`,
    progress.samplesPerSecond > 0 && !compact && `${formatCount(progress.samplesPerSecond)} samples/s`,
    progress.loss !== undefined && !compact && `loss ${formatNumber(progress.loss)}`,
    progress.etaMs !== undefined && `${formatDuration(progress.etaMs)} left`,
    progress.steps !== undefined && !compact && STEPS[progress.steps],
  ].filter(Boolean);
  return (
    <div className="progress-line">
      <div
        className="progress"
        role="progressbar"
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-label={`Training, ${progress.phase}`}
      >
        <div className="progress__bar" style={{ width: `${share * 100}%` }} />
      </div>
      <div className="progress-line__facts">
        <span>{progress.phase}</span>
        {facts.map((fact) => (
          <span key={String(fact)}>{fact}</span>
        ))}
      </div>
    </div>
  );
}
