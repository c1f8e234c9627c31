import { classNames } from '../../lib/classNames.ts';

interface Item {
  readonly name: string;
  readonly probability: number;
}

export interface ProbabilityBarsProps {
  /** Highest first. */
  readonly items: readonly Item[];
  /** Whether a bar is of the answer; as many are shown as that takes, and some more to compare with. */
  readonly isOn: (item: Item, index: number) => boolean;
}

const AT_LEAST = 10;

export function ProbabilityBars({ items, isOn }: ProbabilityBarsProps) {
  const shown = items.filter((item, index) => index < AT_LEAST || isOn(item, index));
  return (
    <ul className="answer__bars">
      {shown.map((item, index) => (
        <li key={item.name} className={classNames('answer__bar', isOn(item, index) && 'answer__bar--top')}>
          <span>{item.name}</span>
          <span className="answer__track">
            <span className="answer__fill" style={{ width: `${item.probability * 100}%` }} />
          </span>
          <span className="answer__percent">{(item.probability * 100).toFixed(1)}</span>
        </li>
      ))}
    </ul>
  );
}
