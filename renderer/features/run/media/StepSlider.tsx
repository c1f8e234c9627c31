import { ChevronLeft, ChevronRight } from 'lucide-react';
import { formatCount } from '../../../../engine/base/format.ts';
import { Button } from '../../../ui/Button.tsx';

export interface StepSliderProps {
  readonly label: string;
  /** Ascending; at least two. */
  readonly steps: readonly number[];
  readonly step: number;
  readonly onChange: (step: number) => void;
}

/** Goes through the steps that have something, by dragging, by arrows and by Home and End. */
export function StepSlider({ label, steps, step, onChange }: StepSliderProps) {
  const index = steps.indexOf(step);
  const go = (next: number) => {
    const chosen = steps[Math.max(0, Math.min(steps.length - 1, next))];
    if (chosen !== undefined) onChange(chosen);
  };
  return (
    <div className="media__steps">
      <Button icon look="quiet" aria-label="Step before" disabled={index <= 0} onClick={() => go(index - 1)}>
        <ChevronLeft size={15} />
      </Button>
      <input
        type="range"
        className="media__slider"
        aria-label={label}
        aria-valuetext={`step ${step}`}
        min={0}
        max={steps.length - 1}
        value={index}
        onChange={(event) => go(Number(event.target.value))}
      />
      <Button
        icon
        look="quiet"
        aria-label="Step after"
        disabled={index >= steps.length - 1}
        onClick={() => go(index + 1)}
      >
        <ChevronRight size={15} />
      </Button>
      <span className="media__step">
        step {formatCount(step)}
        <span className="media__of">
          {' '}
          ({index + 1} of {steps.length})
        </span>
      </span>
    </div>
  );
}
