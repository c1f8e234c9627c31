import type { ReactNode } from 'react';
import { classNames } from '../lib/classNames.ts';

export interface PanelProps {
  readonly title: ReactNode;
  readonly actions?: ReactNode;
  /** No padding: the body is a table, a tree or code. */
  readonly flush?: boolean;
  readonly className?: string;
  readonly label?: string;
  readonly children: ReactNode;
}

export function Panel({ title, actions, flush, className, label, children }: PanelProps) {
  const name = label ?? (typeof title === 'string' ? title : undefined);
  return (
    <section className={classNames('panel', className)} aria-label={name}>
      <header className="panel__head">
        <h2 className="panel__title">{title}</h2>
        {actions && <div className="panel__actions">{actions}</div>}
      </header>
      <div className={classNames('panel__body', flush && 'panel__body--flush')}>{children}</div>
    </section>
  );
}
