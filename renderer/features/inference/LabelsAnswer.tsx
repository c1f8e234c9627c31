import { useState } from 'react';
import type { Prediction } from '../../../engine/api/inferenceModel.ts';
import { useInference } from '../../stores/inference.ts';
import { Badge } from '../../ui/Badge.tsx';
import { ProbabilityBars } from './ProbabilityBars.tsx';

export interface LabelsAnswerProps {
  readonly labels: Extract<Prediction['output'], { type: 'labels' }>['labels'];
  readonly expected: string | undefined;
}

const USUAL_THRESHOLD = 0.5;

/** Labels of which any number may hold: those from a threshold on, and each one's own probability. */
export function LabelsAnswer({ labels, expected }: LabelsAnswerProps) {
  const output = useInference((state) => state.session.data?.signature.output);
  const stated = output?.type === 'labels' ? output.threshold : undefined;
  const [threshold, setThreshold] = useState(stated ?? USUAL_THRESHOLD);
  const holding = labels.filter(({ probability }) => probability >= threshold);
  return (
    <>
      <div className="answer__labels">
        {holding.map(({ name }) => (
          <span className="answer__label" key={name}>
            {name}
          </span>
        ))}
        {holding.length === 0 && <span className="answer__none">No label reaches the threshold</span>}
        {expected !== undefined && <Badge tone="neutral">is {expected}</Badge>}
      </div>
      <label className="answer__threshold">
        Threshold
        <input
          type="range"
          min={0}
          max={1}
          step={0.01}
          value={threshold}
          onChange={(event) => setThreshold(Number(event.target.value))}
        />
        <span className="answer__percent">{(threshold * 100).toFixed(0)} %</span>
      </label>
      <ProbabilityBars items={labels} isOn={({ probability }) => probability >= threshold} />
    </>
  );
}
