import type { ReactNode } from 'react';
import type { Load } from '../lib/load.ts';
import { ErrorNotice, LoadingState } from './states.tsx';

export interface WhenLoadedProps<T> {
  readonly load: Load<T>;
  /** What is being done, for the time until there is something to show. */
  readonly label: string;
  readonly onRetry: () => void;
  readonly children: (data: T) => ReactNode;
}

/** What a request brought, or why there is nothing yet. Data once loaded stays, whatever a later request says. */
export function WhenLoaded<T>({ load, label, onRetry, children }: WhenLoadedProps<T>) {
  if (load.data !== undefined) return children(load.data);
  return load.error ? <ErrorNotice error={load.error} onRetry={onRetry} /> : <LoadingState label={label} />;
}
