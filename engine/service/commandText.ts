import type { LaunchRequest } from '../api/launchModel.ts';

/** The command line that does what a request asks for, quoted for a POSIX shell. */
export function commandText(request: LaunchRequest, defaultConfig: string): string {
  const option = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [`--${name}`, shellQuote(String(value))];
  return [
    'accelhydra train',
    ...option('config-name', request.configName === defaultConfig ? undefined : request.configName),
    ...option('config-path', request.searchPath?.[0]),
    ...(request.searchPath ?? []).slice(1).flatMap((folder) => option('config-dir', folder)),
    ...option('config_file', request.launchFile),
    ...option('num_processes', request.numProcesses),
    ...(request.useCpu ? ['--use_cpu'] : []),
    ...option('gpu_ids', request.gpuIds),
    ...option('mixed_precision', request.mixedPrecision),
    ...option('num_cpu_threads_per_process', request.threadsPerProcess),
    ...option('main_process_port', request.mainProcessPort),
    ...option('max_restarts', request.maxRestarts),
    ...option('name', request.name),
    ...request.overrides.map(shellQuote),
  ].join(' ');
}

/** The text as one word of a POSIX shell, unchanged where nothing in it means anything to one. */
export function shellQuote(text: string): string {
  // A leading ~ would be a home folder.
  if (/^[\w@%+=:,./-][\w@%+=:,./~-]*$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
