/** What the options of the config commands parse to. */
export interface SourceOptions {
  readonly configDir?: string;
  readonly configPath?: string;
  readonly configName?: string;
  readonly project?: string;
}

export interface ConfigOptions extends SourceOptions {
  readonly cfg?: 'job' | 'hydra' | 'all';
  readonly info?: 'all' | 'config' | 'defaults' | 'defaults-tree' | 'searchpath' | true;
  readonly resolve?: boolean;
  readonly package?: string;
  readonly overrides?: readonly string[];
  readonly multirun?: boolean;
  readonly dryRun?: boolean;
}

/** Accelerate's launch options, by its names. */
export interface LaunchFlags {
  readonly config_file?: string;
  readonly num_processes?: number;
  readonly mixed_precision?: 'no' | 'fp16' | 'bf16';
  readonly gpu_ids?: string;
  readonly use_cpu?: boolean;
  readonly cpu?: boolean;
  readonly num_cpu_threads_per_process?: number;
  readonly main_process_port?: number;
  readonly max_restarts?: number;
  readonly name?: string;
  readonly detach?: boolean;
}

/** How `runs resume` and `runs branch` go on. */
export interface ContinueFlags
  extends Pick<
    LaunchFlags,
    'num_processes' | 'use_cpu' | 'cpu' | 'gpu_ids' | 'num_cpu_threads_per_process' | 'name' | 'detach'
  > {
  readonly step?: number;
  readonly checkpoint?: string;
  readonly overrides?: readonly string[];
  readonly json?: boolean;
  readonly project?: string;
}
