import type { FlightPlan } from '../../api/planModel.ts';
import type { TrainerSubject } from '../hooks.ts';
import type { RateRecorder } from './plannedRates.ts';

/** What the warnings of a plan are found in. */
export interface WarningSource {
  readonly plan: Omit<FlightPlan, 'warnings'>;
  readonly subject: TrainerSubject;
  readonly rates: RateRecorder;
  /** Micro-batches at the end whose gradients never reach the optimizer. */
  readonly unused: number;
  /** Step of the last checkpoint that is sure to be written; 0 for none. */
  readonly lastSave: number;
  readonly validates: boolean;
  readonly scheduleOptions: Readonly<Record<string, unknown>>;
  /** As AccelHydra's arithmetic has it. */
  readonly expectedEpochLength: number;
}
