import { CircleAlert, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { EngineError } from '../../engine/api/errors.ts';
import { classNames } from '../lib/classNames.ts';
import { Button } from './Button.tsx';

/** The picture of nothing there yet: what would be here, and what to do to get it. */
export function EmptyState(props: { readonly title: string; readonly text?: ReactNode; readonly action?: ReactNode }) {
  return (
    <div className="empty">
      <div className="empty__title">{props.title}</div>
      {props.text && <div className="empty__text">{props.text}</div>}
      {props.action}
    </div>
  );
}

export function Spinner({ label = 'Loading' }: { readonly label?: string }) {
  return <span className="spinner" role="status" aria-label={label} />;
}

export function LoadingState({ label }: { readonly label: string }) {
  return (
    <div className="empty">
      <Spinner label={label} />
      <div className="empty__text">{label}…</div>
    </div>
  );
}

export interface NoticeProps {
  readonly look?: 'plain' | 'warning' | 'error';
  readonly children: ReactNode;
  readonly place?: string | undefined;
  readonly action?: ReactNode;
}

export function Notice({ look = 'plain', children, place, action }: NoticeProps) {
  return (
    <div
      className={classNames('notice', look !== 'plain' && `notice--${look}`)}
      role={look === 'error' ? 'alert' : 'status'}
    >
      {look === 'error' && <CircleAlert size={16} aria-hidden="true" />}
      {look === 'warning' && <TriangleAlert size={16} aria-hidden="true" />}
      <div className="notice__text">
        {children}
        {place && <div className="notice__place">{place}</div>}
      </div>
      {action}
    </div>
  );
}

export interface ErrorNoticeProps {
  readonly error: EngineError;
  readonly onRetry?: () => void;
  /** Other ways on than to try again. */
  readonly children?: ReactNode;
}

/** An engine error as a person reads it: the sentence, the place, and a way on. */
export function ErrorNotice({ error, onRetry, children }: ErrorNoticeProps) {
  const ways = (
    <>
      {children}
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </>
  );
  return (
    <Notice look="error" place={placeOf(error)} action={ways}>
      {error.message}
    </Notice>
  );
}

function placeOf(error: EngineError): string | undefined {
  const { file, line, column } = error.details;
  if (typeof file !== 'string') return undefined;
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return error.message.includes(place) ? undefined : place;
}
