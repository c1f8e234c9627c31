import { join, resolve } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { didYouMean } from '../../../base/nearest.ts';
import type { LoggingConfig } from '../loggingConfig.ts';
import { JsonlTracker } from './jsonlTracker.ts';
import { TensorBoardTracker } from './tensorboard/tensorBoardTracker.ts';
import type { Tracker } from './tracker.ts';

export const trackerNames = ['tensorboard', 'jsonl'] as const;
type TrackerName = (typeof trackerNames)[number];

/** The run store itself: always written, so that naming it changes nothing. */
const ownNames: ReadonlySet<string> = new Set(['runs', 'none']);

export interface TrackerPlace {
  /** Absolute folder of the run. */
  readonly runDir: string;
  readonly clock: Clock;
}

/** The trackers of `report_to` that this program has; `all` means every one of them. Nothing is opened yet. */
export function openTrackers(config: LoggingConfig | null, place: TrackerPlace): Tracker[] {
  if (config === null) return [];
  // a relative save_dir is the project's, as every path of a config is
  const folder = config.save_dir === undefined ? place.runDir : resolve(config.save_dir);
  const wanted = new Set<string>(config.report_to.includes('all') ? trackerNames : config.report_to);
  return trackerNames.filter((name) => wanted.has(name)).map((name) => openTracker(name, folder, place.clock));
}

function openTracker(name: TrackerName, folder: string, clock: Clock): Tracker {
  switch (name) {
    case 'tensorboard':
      return new TensorBoardTracker(join(folder, 'tensorboard'), clock);
    case 'jsonl':
      return new JsonlTracker(join(folder, 'tracker.jsonl'));
  }
}

/** A sentence about the names in `report_to` that are no tracker of ours; undefined when all are. */
export function unavailableTrackers(config: LoggingConfig | null): string | undefined {
  const unknown = (config?.report_to ?? []).filter(
    (name) => name !== 'all' && !ownNames.has(name) && !trackerNames.some((own) => own === name),
  );
  if (unknown.length === 0) return undefined;
  const hint = unknown.length === 1 ? didYouMean(unknown[0] ?? '', trackerNames) : '';
  return `logging_config.report_to names ${unknown.join(', ')}, which this program does not write to (it has ${trackerNames.join(' and ')}).${hint} Everything is in the run store all the same.`;
}
