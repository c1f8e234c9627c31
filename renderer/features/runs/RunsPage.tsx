import './runs.css';
import { ChartLine, Search, Square, Trash2 } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { type RunSummary, taskOverrides } from '../../../engine/api/runModel.ts';
import { formatDuration } from '../../../engine/base/format.ts';
import { distinctNames } from '../../lib/distinctNames.ts';
import { formatAgo, formatNumber } from '../../lib/format.ts';
import { formatRoute, navigate } from '../../stores/router.ts';
import { isLive, progressOf, type StatusFilter, useRuns } from '../../stores/runs.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx';
import { ProgressLine } from '../../ui/ProgressLine.tsx';
import { RunStatusBadge } from '../../ui/RunStatusBadge.tsx';
import { SearchInput } from '../../ui/SearchInput.tsx';
import { EmptyState, ErrorNotice, LoadingState } from '../../ui/states.tsx';
import { useNow } from '../../ui/useNow.ts';

const FILTERS: readonly { readonly key: StatusFilter; readonly label: string }[] = [
  { key: 'all', label: 'All' },
  { key: 'live', label: 'Running' },
  { key: 'finished', label: 'Finished' },
  { key: 'problem', label: 'Failed or lost' },
];

export function RunsPage() {
  const { list, search, status, selected } = useRuns();
  const [removing, setRemoving] = useState<RunSummary>();
  useEffect(() => void useRuns.getState().load(), []);
  const names = useMemo(() => distinctNames(list.data?.runs ?? []), [list.data]);
  const filtered = search !== '' || status !== 'all';
  return (
    <div className="page">
      <header className="page__head">
        <h1 className="page__title">Runs</h1>
        <div className="runs__filters" role="group" aria-label="Status">
          {FILTERS.map((filter) => (
            <Button
              key={filter.key}
              look={filter.key === status ? 'primary' : 'quiet'}
              aria-pressed={filter.key === status}
              onClick={() => useRuns.getState().setFilter({ status: filter.key })}
            >
              {filter.label}
            </Button>
          ))}
        </div>
        <div className="page__actions">
          <Button
            disabled={selected.length < 2}
            title="Mark two runs or more to see them in the same charts"
            onClick={() => navigate({ page: 'compare', runIds: selected })}
          >
            <ChartLine size={15} /> Compare{selected.length > 0 && ` (${selected.length})`}
          </Button>
          <div className="runs__search">
            <Search size={14} aria-hidden="true" />
            <SearchInput
              label="Search runs"
              placeholder="Name, override, tag…"
              value={search}
              onChange={(text) => useRuns.getState().setFilter({ search: text })}
            />
          </div>
        </div>
      </header>
      {list.error && <ErrorNotice error={list.error} onRetry={() => void useRuns.getState().load()} />}
      {!list.data && list.loading && <LoadingState label="Reading the run history" />}
      {list.data && list.data.runs.length === 0 && (
        <EmptyState
          title={filtered ? 'No run matches' : 'No runs yet'}
          text={
            filtered
              ? 'Change the search or the status above.'
              : 'Compose a config, launch it, and it shows up here, live. Runs started on the command line do too.'
          }
          action={
            !filtered && (
              <Button look="primary" onClick={() => navigate({ page: 'compose' })}>
                Compose a config
              </Button>
            )
          }
        />
      )}
      {list.data && list.data.runs.length > 0 && (
        <div className="panel runs__table">
          <table className="table table--stacks">
            <thead>
              <tr>
                <th>Run</th>
                <th>Status</th>
                <th>Overrides</th>
                <th className="numeric">Monitor</th>
                <th>Started</th>
                <th className="numeric">Duration</th>
                <th>
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.data.runs.map((run, i) => (
                <RunRow run={run} spoken={names[i] ?? run.name} key={run.id} onRemove={() => setRemoving(run)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {removing && <RemoveDialog run={removing} onClose={() => setRemoving(undefined)} />}
    </div>
  );
}

interface RunRowProps {
  readonly run: RunSummary;
  /** The run's name, made one that no other run of the list has, for those who do not see the id below it. */
  readonly spoken: string;
  readonly onRemove: () => void;
}

function RunRow({ run, spoken, onRemove }: RunRowProps) {
  const now = useNow(isLive(run.status) ? 1000 : 30_000);
  const progress = useRuns((state) => progressOf(run, state.progress));
  const isSelected = useRuns((state) => state.selected.includes(run.id));
  const live = isLive(run.status);
  const overrides = taskOverrides(run);
  const started = run.startedAt ?? run.createdAt;
  return (
    <tr>
      <td>
        <div className="runs__run">
          <input
            type="checkbox"
            aria-label={`Compare ${spoken}`}
            checked={isSelected}
            onChange={(event) => useRuns.getState().select(run.id, event.target.checked)}
          />
          <div>
            <a
              className="runs__name"
              title={run.name}
              href={formatRoute({ page: 'run', runId: run.id, tab: 'charts' })}
            >
              {run.name}
            </a>
            <div className="runs__id mono">{run.id}</div>
          </div>
        </div>
      </td>
      <td>
        <RunStatusBadge status={run.status} /> {run.folderMissing && <Badge tone="red">folder gone</Badge>}
        {live && progress && <ProgressLine progress={progress} compact />}
        {run.error && (
          <div className="runs__error" title={run.error}>
            {run.error}
          </div>
        )}
      </td>
      <td className="runs__overrides" data-label="Overrides">
        {overrides.length === 0 ? (
          <span className="runs__none">{run.configName}</span>
        ) : (
          overrides.map((text) => <code key={text}>{text}</code>)
        )}
      </td>
      <td className="numeric" data-label="Monitor">
        {run.monitor?.best !== undefined ? (
          <>
            {formatNumber(run.monitor.best)}
            <div className="runs__id">{run.monitor.key}</div>
          </>
        ) : (
          '–'
        )}
      </td>
      <td data-label="Started">{formatAgo(run.createdAt, now)}</td>
      <td className="numeric" data-label="Duration">
        {formatDuration((run.endedAt ?? (live ? now : started)) - started)}
      </td>
      <td className="runs__actions">
        {live ? (
          <Button
            icon
            look="quiet"
            aria-label={`Stop ${spoken}: saves, then ends`}
            disabled={run.status === 'stopping'}
            onClick={() => void useRuns.getState().stop(run.id, 'stop')}
          >
            <Square size={15} />
          </Button>
        ) : (
          <Button icon look="quiet" aria-label={`Remove ${spoken}`} onClick={onRemove}>
            <Trash2 size={15} />
          </Button>
        )}
      </td>
    </tr>
  );
}

function RemoveDialog({ run, onClose }: { readonly run: RunSummary; readonly onClose: () => void }) {
  const [deleteFolder, setDeleteFolder] = useState(false);
  return (
    <ConfirmDialog
      open
      danger
      title={`Remove ${run.name}?`}
      confirmLabel={deleteFolder ? 'Remove run and files' : 'Remove from the list'}
      onCancel={onClose}
      onConfirm={() => {
        void useRuns.getState().remove(run.id, deleteFolder);
        onClose();
      }}
    >
      <p>Its row and metrics leave the history. The folder stays unless you say otherwise.</p>
      <label className="runs__delete">
        <input type="checkbox" checked={deleteFolder} onChange={(event) => setDeleteFolder(event.target.checked)} />
        Delete the folder too, checkpoints included: <code>{run.expDir}</code>
      </label>
    </ConfirmDialog>
  );
}
