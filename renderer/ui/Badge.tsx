import type { ReactNode } from 'react';
import { classNames } from '../lib/classNames.ts';

export type Tone = 'neutral' | 'green' | 'blue' | 'amber' | 'red' | 'violet' | 'accent';

export interface BadgeProps {
  readonly tone?: Tone;
  readonly dot?: 'still' | 'live';
  readonly title?: string;
  readonly children: ReactNode;
}

export function Badge({ tone = 'neutral', dot, title, children }: BadgeProps) {
  return (
    <span className={classNames('badge', tone !== 'neutral' && `badge--${tone}`)} title={title}>
      {dot && <span className={classNames('badge__dot', dot === 'live' && 'badge__dot--live')} />}
      {children}
    </span>
  );
}
