import { checkOptions } from '../../data/options.ts';

export interface LoggingConfigOptions {
  readonly report_to?: string | readonly string[] | null;
  readonly project?: string | null;
  readonly save_dir?: string | null;
  readonly name?: string | null;
  readonly resume_id?: string | null;
  readonly workspace?: string | null;
}

/** AccelHydra's LoggingConfig. Every run is recorded in the run store whatever `report_to` says. */
export class LoggingConfig {
  readonly report_to: readonly string[];
  readonly project: string | undefined;
  readonly save_dir: string | undefined;
  readonly name: string | undefined;
  readonly resume_id: string | undefined;
  readonly workspace: string | undefined;

  constructor(options: LoggingConfigOptions = {}) {
    checkOptions('LoggingConfig', options, ['report_to', 'project', 'save_dir', 'name', 'resume_id', 'workspace']);
    const { report_to: reportTo } = options;
    this.report_to = reportTo == null ? [] : typeof reportTo === 'string' ? [reportTo] : [...reportTo];
    this.project = options.project ?? undefined;
    this.save_dir = options.save_dir ?? undefined;
    this.name = options.name ?? undefined;
    this.resume_id = options.resume_id ?? undefined;
    this.workspace = options.workspace ?? undefined;
  }

  /** Trackers asked for that this program does not write to. */
  get unavailable(): readonly string[] {
    return this.report_to.filter((tracker) => tracker !== 'runs');
  }
}
