import type { MediaNotice } from '../../../api/media.ts';
import type { MetricPoint } from '../../../api/training.ts';

/** A logged item with its content. */
export interface LoggedMedia {
  readonly notice: MediaNotice;
  /** Content of the item's file. */
  readonly bytes: Uint8Array;
  /** The text itself; a table as Markdown. */
  readonly text?: string | undefined;
}

export interface TrackerStart {
  /** The resolved config, flattened. */
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly name: string;
  /** Step that the training begins at; above 0 when it goes on from a checkpoint. */
  readonly step: number;
  /** Key of the watched metric. */
  readonly monitor: string | undefined;
}

/** Another place than the run store that rank 0's records go to: an entry of `logging_config.report_to`. */
export interface Tracker {
  readonly name: string;
  begin(start: TrackerStart): void;
  /** The training went back to this step and does it and what followed again. */
  rolledBack(step: number): void;
  metrics(points: readonly MetricPoint[]): void;
  media(item: LoggedMedia): void;
  /** Puts everything given so far on the disk. */
  flush(): void;
  end(status: 'completed' | 'failed'): void;
}
