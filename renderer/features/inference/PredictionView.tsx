import { formatDuration } from '../../../engine/base/format.ts';
import { formatNumber } from '../../lib/format.ts';
import { useInference } from '../../stores/inference.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { EmptyState, ErrorNotice, Spinner } from '../../ui/states.tsx';
import { LabelsAnswer } from './LabelsAnswer.tsx';
import { ProbabilityBars } from './ProbabilityBars.tsx';

export function PredictionView() {
  const { data, loading, error } = useInference((state) => state.prediction);
  const top = data?.output.type === 'classes' ? data.output.classes[0] : undefined;
  return (
    <Panel
      title="Answer"
      actions={
        loading ? (
          <Spinner label="Predicting" />
        ) : (
          data && <span className="field__hint">{formatDuration(data.elapsedMs)}</span>
        )
      }
    >
      {error && <ErrorNotice error={error} />}
      {!data && !error && <EmptyState title="Nothing asked yet" text="Draw, type or pick a sample." />}
      {data && (
        <div className="answer" aria-live="polite" aria-busy={loading}>
          {top && (
            <div className="answer__top">
              <span className="answer__class">{top.name}</span>
              <span>{(top.probability * 100).toFixed(1)} %</span>
              {data.expected !== undefined && (
                <Badge tone={data.expected === top.name ? 'green' : 'red'}>
                  {data.expected === top.name ? 'correct' : `is ${data.expected}`}
                </Badge>
              )}
            </div>
          )}
          {data.output.type === 'classes' && (
            <ProbabilityBars items={data.output.classes} isOn={(_, index) => index === 0} />
          )}
          {data.output.type === 'labels' && <LabelsAnswer labels={data.output.labels} expected={data.expected} />}
          {data.output.type === 'text' && <p className="answer__text">{data.output.text}</p>}
          {data.output.type === 'tensor' && (
            <p className="mono">
              [{data.output.shape.join(', ')}]{' '}
              {data.output.values
                .slice(0, 64)
                .map((value) => formatNumber(value))
                .join(', ')}
              {data.output.values.length > 64 && ' …'}
            </p>
          )}
          {data.note !== undefined && (
            <p className="field__hint answer__note" role="note">
              {data.note}
            </p>
          )}
        </div>
      )}
    </Panel>
  );
}
