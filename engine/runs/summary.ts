import { z } from 'zod';
import { OriginInfo } from '../api/configModel.ts';
import type { RunDetail, RunSummary } from '../api/runModel.ts';
import { listLogFiles } from './logFiles.ts';
import { readRunJson, runFiles } from './runFolder.ts';
import type { RunStore } from './runStore.ts';
import { isFolderMissing, type RunRecord } from './runTable.ts';

/** The run as a list shows it: its record with the last metric values and what the disk says now. */
export function summarizeRun(store: RunStore, run: RunRecord): RunSummary {
  const keys = store.metrics.keys(run.id);
  const monitored = run.monitor && keys.find((key) => key.key === run.monitor?.key);
  return {
    id: run.id,
    name: run.name,
    status: run.status,
    expDir: run.expDir,
    folderMissing: isFolderMissing(run),
    configName: run.configName,
    overrides: [...run.overrides],
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    processes: run.processes,
    devices: [...run.devices],
    progress: run.progress,
    monitor: run.monitor && {
      ...run.monitor,
      last: monitored?.lastValue,
      best: run.monitor.mode === 'min' ? monitored?.minimum : monitored?.maximum,
    },
    lastMetrics: Object.fromEntries(keys.map((key) => [key.key, key.lastValue])),
    parent: run.parent,
    error: run.error,
    tags: [...run.tags],
    notes: run.notes,
  };
}

/** Everything about one run but its points, checkpoints and log texts. */
export function describeRun(store: RunStore, run: RunRecord): RunDetail {
  return {
    ...summarizeRun(store, run),
    command: run.command,
    configYaml: run.configYaml,
    resolvedYaml: run.resolvedYaml,
    git: run.git,
    host: run.host,
    user: run.user,
    launcherPid: run.launcherPid,
    environment: { ...run.environment },
    hyperparameters: { ...run.hyperparameters },
    branches: store.runs
      .branchesOf(run.id)
      .map(({ id, name, parent }) => ({ runId: id, name, step: parent?.step ?? 0 })),
    origins: z.record(z.string(), OriginInfo).safeParse(readRunJson(run.expDir, runFiles.origins)).data,
    logFiles: listLogFiles(run.expDir).map((log) => ({ ...log })),
  };
}
