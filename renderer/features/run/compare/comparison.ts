import type { MetricKey, RunDetail } from '../../../../engine/api/runModel.ts';

export interface ComparedValue {
  readonly key: string;
  /** One a run, in their order; undefined where a run has no such key. */
  readonly values: readonly unknown[];
}

/** Where a run lies; other folders are mostly within it. */
const runFolder = 'exp_dir';

/**
 * The settings in which runs differ, of their flattened resolved configs, by name. A run without any recorded config (it
 * ended before its training began) has no say in what differs: everything would. Folders that differ only because the
 * runs' own do are left out.
 */
export function differingSettings(runs: readonly Pick<RunDetail, 'hyperparameters'>[]): ComparedValue[] {
  const configs = runs.map((run) => run.hyperparameters);
  const recorded = configs.filter((config) => Object.keys(config).length > 0);
  const keys = [...new Set(recorded.flatMap(Object.keys))].sort();
  // JSON has no undefined: a key that is absent differs from one that is null
  const text = (config: Readonly<Record<string, unknown>>, key: string) => JSON.stringify(config[key]);
  return keys
    .filter((key) => new Set(recorded.map((config) => text(config, key))).size > 1)
    .filter((key) => key === runFolder || !followsFolder(recorded.map((config) => [config[key], config[runFolder]])))
    .map((key) => ({ key, values: configs.map((config) => config[key]) }));
}

/** Whether each value is the run's folder with the same behind it. */
function followsFolder(pairs: readonly (readonly [value: unknown, folder: unknown])[]): boolean {
  const rests = pairs.map(([value, folder]) => {
    if (typeof value !== 'string' || typeof folder !== 'string' || folder === '') return undefined;
    return value === folder || value.startsWith(`${folder}/`) ? value.slice(folder.length) : undefined;
  });
  return rests[0] !== undefined && rests.every((rest) => rest === rests[0]);
}

/** Every metric of any of the runs with its last value, by name. */
export function finalMetrics(runs: readonly { readonly metrics: readonly MetricKey[] }[]): ComparedValue[] {
  const byRun = runs.map(({ metrics }) => new Map(metrics.map((metric) => [metric.key, metric.lastValue])));
  const keys = [...new Set(byRun.flatMap((metrics) => [...metrics.keys()]))].sort();
  return keys.map((key) => ({ key, values: byRun.map((metrics) => metrics.get(key)) }));
}

interface Line {
  readonly run: Pick<RunDetail, 'id' | 'monitor'>;
  readonly metric: Pick<MetricKey, 'minimum' | 'maximum'>;
}

/**
 * Which way a metric is better, and the run that came furthest. Only the runs' own monitors tell: of a metric that none
 * monitors, or two in opposite ways, nothing is said.
 */
export function bestOf(
  key: string,
  lines: readonly Line[],
): { readonly mode?: 'min' | 'max'; readonly leader?: string } {
  const modes = new Set(lines.flatMap(({ run }) => (run.monitor?.key === key ? [run.monitor.mode] : [])));
  const [mode] = modes;
  if (mode === undefined || modes.size > 1) return {};
  let [leader, best] = ['', Number.POSITIVE_INFINITY];
  for (const { run, metric } of lines) {
    const loss = mode === 'min' ? metric.minimum : metric.maximum === undefined ? undefined : -metric.maximum;
    if (loss !== undefined && loss < best) [leader, best] = [run.id, loss];
  }
  return leader === '' ? { mode } : { mode, leader };
}
