import type { MediaKey } from '../../api/media.ts';
import type { CheckpointInfo, MetricKey, RunDetail, RunSummary } from '../../api/runModel.ts';
import { formatBytes, formatDuration } from '../../base/format.ts';
import { formatMetric, formatTable, formatTime } from '../ui/format.ts';
import { statusText } from '../ui/statusText.ts';
import type { Terminal } from '../ui/terminal.ts';

export interface RunRecords {
  readonly metrics: readonly MetricKey[];
  readonly media: readonly MediaKey[];
  readonly checkpoints: readonly CheckpointInfo[];
}

/** What `runs show` says of a run: facts, then tables of what it recorded. */
export function describeRun(terminal: Terminal, run: RunDetail, { metrics, media, checkpoints }: RunRecords): string {
  const git = run.git
    ? `${run.git.commit.slice(0, 10)}${run.git.branch ? ` (${run.git.branch})` : ''}${run.git.dirty ? ', with local changes' : ''}`
    : '';
  const facts: readonly (readonly [string, string])[] = [
    ['id', run.id],
    ['name', run.name],
    ['status', statusText(terminal, run.status)],
    ['error', run.error ?? ''],
    ['folder', run.expDir + (run.folderMissing ? ' (gone)' : '')],
    ['config', run.configName],
    ['command', run.command],
    [
      'parent',
      run.parent
        ? `${run.parent.name} (${run.parent.runId}), from step ${run.parent.step}, ${run.parent.checkpoint}`
        : '',
    ],
    ['branches', run.branches.map(({ runId, name, step }) => `${name} (${runId}) at step ${step}`).join(', ')],
    ['started', run.startedAt === undefined ? '' : formatTime(run.startedAt)],
    ['took', took(run)],
    ['devices', run.devices.join(', ')],
    ['host', run.host && `${run.user}@${run.host}`],
    ['git', git],
    ['tags', run.tags.join(', ')],
    ['notes', run.notes],
  ];
  const title = (text: string) => terminal.paint('bold', text);
  const sections = [
    facts
      .flatMap(([name, value]) => (value === '' ? [] : [`${terminal.paint('dim', name.padEnd(8))} ${value}`]))
      .join('\n'),
  ];
  if (metrics.length > 0) {
    sections.push(
      `${title('Metrics')}\n${formatTable(metrics, [
        { title: 'KEY', cell: (key) => key.key },
        { title: 'LAST', cell: (key) => formatMetric(key.lastValue), align: 'right' },
        { title: 'MIN', cell: (key) => (key.minimum === undefined ? '' : formatMetric(key.minimum)), align: 'right' },
        { title: 'MAX', cell: (key) => (key.maximum === undefined ? '' : formatMetric(key.maximum)), align: 'right' },
        { title: 'STEP', cell: (key) => String(key.lastStep), align: 'right' },
        { title: 'POINTS', cell: (key) => String(key.points), align: 'right' },
      ])}`,
    );
  }
  if (media.length > 0) {
    sections.push(
      `${title('Media')}\n${formatTable(media, [
        { title: 'KEY', cell: (item) => item.key },
        { title: 'KIND', cell: (item) => item.kind },
        { title: 'ITEMS', cell: (item) => String(item.items), align: 'right' },
        { title: 'STEPS', cell: (item) => String(item.steps), align: 'right' },
        { title: 'LAST', cell: (item) => String(item.lastStep), align: 'right' },
        { title: 'SIZE', cell: (item) => formatBytes(item.bytes), align: 'right' },
      ])}`,
    );
  }
  if (checkpoints.length > 0) {
    sections.push(
      `${title('Checkpoints')}\n${formatTable(checkpoints, [
        { title: 'PATH', cell: (checkpoint) => checkpoint.path + (checkpoint.missing ? ' (gone)' : '') },
        { title: 'STEP', cell: (checkpoint) => String(checkpoint.step), align: 'right' },
        { title: 'SIZE', cell: (checkpoint) => formatBytes(checkpoint.bytes), align: 'right' },
        {
          title: 'METRICS',
          cell: (checkpoint) =>
            Object.entries(checkpoint.metrics)
              .map(([key, value]) => `${key} ${formatMetric(value)}`)
              .join('  '),
        },
      ])}`,
    );
  }
  return sections.join('\n\n');
}

export function took(run: RunSummary): string {
  if (run.startedAt === undefined) return '';
  return formatDuration((run.endedAt ?? Date.now()) - run.startedAt);
}
