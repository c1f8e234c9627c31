import { checkOptions, requireWhole } from '../../data/options.ts';

export interface LoggingConfigOptions {
  /** Trackers besides the run store: `tensorboard`, `jsonl`, several of them, `all`, or null. */
  readonly report_to?: string | readonly string[] | null;
  readonly project?: string | null;
  /** Where trackers write; the run's folder when absent. */
  readonly save_dir?: string | null;
  /** Name of the run in trackers; that of the run's folder when absent. */
  readonly name?: string | null;
  readonly resume_id?: string | null;
  readonly workspace?: string | null;
  /** Images, sounds, texts, histograms and tables kept of one launch, in number and bytes. */
  readonly max_media_items?: number | null;
  readonly max_media_bytes?: number | null;
}

const keys = [
  'report_to',
  'project',
  'save_dir',
  'name',
  'resume_id',
  'workspace',
  'max_media_items',
  'max_media_bytes',
] as const;

/**
 * AccelHydra's LoggingConfig with limits for media. Every run is recorded in the run store whatever `report_to` says.
 * `project`, `resume_id` and `workspace` are for online trackers, which this program has none of; they are kept.
 */
export class LoggingConfig {
  readonly report_to: readonly string[];
  readonly project: string | undefined;
  readonly save_dir: string | undefined;
  readonly name: string | undefined;
  readonly resume_id: string | undefined;
  readonly workspace: string | undefined;
  readonly max_media_items: number;
  readonly max_media_bytes: number;

  constructor(options: LoggingConfigOptions = {}) {
    checkOptions('LoggingConfig', options, keys);
    const { report_to: reportTo } = options;
    this.report_to = reportTo == null ? [] : typeof reportTo === 'string' ? [reportTo] : [...reportTo];
    this.project = options.project ?? undefined;
    this.save_dir = options.save_dir ?? undefined;
    this.name = options.name ?? undefined;
    this.resume_id = options.resume_id ?? undefined;
    this.workspace = options.workspace ?? undefined;
    this.max_media_items = requireWhole('LoggingConfig', 'max_media_items', options.max_media_items ?? 20_000, 0);
    this.max_media_bytes = requireWhole('LoggingConfig', 'max_media_bytes', options.max_media_bytes ?? 4 * 2 ** 30, 0);
  }
}
