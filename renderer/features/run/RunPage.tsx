import './run.css';
import { FlaskConical, OctagonX, Play, SlidersHorizontal, Square } from 'lucide-react';
import { useEffect, useState } from 'react';
import { type EngineError, toEngineError } from '../../../engine/api/errors.ts';
import type { RunDetail } from '../../../engine/api/runModel.ts';
import { formatDuration } from '../../../engine/base/format.ts';
import { formatAgo, formatDevices } from '../../lib/format.ts';
import { useCompose } from '../../stores/compose.ts';
import { navigate, RUN_TABS, type RunTab } from '../../stores/router.ts';
import { useRun } from '../../stores/run.ts';
import { isLive, progressOf, useRuns } from '../../stores/runs.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx';
import { ProgressLine } from '../../ui/ProgressLine.tsx';
import { RunStatusBadge } from '../../ui/RunStatusBadge.tsx';
import { ErrorNotice, LoadingState, Notice } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { useNow } from '../../ui/useNow.ts';
import { ChartsTab } from './ChartsTab.tsx';
import { CheckpointsTab } from './CheckpointsTab.tsx';
import { ConfigTab } from './ConfigTab.tsx';
import { DetailsTab } from './DetailsTab.tsx';
import { Lineage } from './Lineage.tsx';
import { LogsTab } from './LogsTab.tsx';
import { MediaTab } from './media/MediaTab.tsx';

const LABELS: Readonly<Record<RunTab, string>> = {
  charts: 'Charts',
  media: 'Media',
  config: 'Config',
  checkpoints: 'Checkpoints',
  logs: 'Logs',
  details: 'Details',
};

export function RunPage({ runId, tab }: { readonly runId: string; readonly tab: RunTab }) {
  const { detail, actionError, note } = useRun();
  useEffect(() => useRun.getState().open(runId), [runId]);
  const run = detail.data;
  return (
    <div className="page">
      {detail.error && (
        <ErrorNotice error={detail.error} onRetry={() => useRun.getState().open(runId)}>
          <Button onClick={() => navigate({ page: 'runs' })}>All runs</Button>
        </ErrorNotice>
      )}
      {actionError !== undefined && run !== undefined && <ActionError error={toEngineError(actionError)} />}
      {note !== undefined && <Notice look="warning">{note}</Notice>}
      {!run && detail.loading && <LoadingState label="Reading the run" />}
      {run && (
        <>
          <RunHeader run={run} />
          {run.folderMissing && (
            <Notice look="warning">
              The folder of this run is gone ({run.expDir}): its metrics are still here, its checkpoints and logs are
              not.
            </Notice>
          )}
          {run.error && (
            <Notice
              look="error"
              action={<Button onClick={() => navigate({ page: 'run', runId, tab: 'logs' })}>Open the logs</Button>}
            >
              {run.error}
            </Notice>
          )}
          <Tabs
            label="Run"
            selected={tab}
            onSelect={(next) => {
              navigate({ page: 'run', runId, tab: next });
              useRun.getState().open(runId); // its folder may have gone meanwhile
            }}
            tabs={RUN_TABS.map((key) => ({ key, label: LABELS[key] }))}
          />
          <div role="tabpanel" aria-label={LABELS[tab]} className="run__tab">
            {tab === 'charts' && <ChartsTab run={run} />}
            {tab === 'media' && <MediaTab run={run} />}
            {tab === 'config' && <ConfigTab run={run} />}
            {tab === 'checkpoints' && <CheckpointsTab run={run} />}
            {tab === 'logs' && <LogsTab run={run} />}
            {tab === 'details' && <DetailsTab run={run} />}
          </div>
        </>
      )}
    </div>
  );
}

/** A checkpoint that is damaged leads to the next best one. */
function ActionError({ error }: { readonly error: EngineError }) {
  const { nextBest } = error.details;
  if (error.code !== 'checkpoint.corrupt' || typeof nextBest !== 'string') return <ErrorNotice error={error} />;
  return (
    <Notice
      look="error"
      action={
        <Button onClick={() => void useRun.getState().resume(nextBest)}>
          <Play size={15} /> Resume from {nextBest}
        </Button>
      }
    >
      {error.message}
    </Notice>
  );
}

function RunHeader({ run }: { readonly run: RunDetail }) {
  const live = isLive(run.status);
  const now = useNow(live ? 1000 : 30_000);
  const progress = useRuns((state) => progressOf(run, state.progress));
  const [killing, setKilling] = useState(false);
  const started = run.startedAt ?? run.createdAt;
  return (
    <>
      <header className="page__head">
        <h1 className="page__title">{run.name}</h1>
        <RunStatusBadge status={run.status} />
        <span className="run__facts">
          {formatAgo(run.createdAt, now)} · {formatDuration((run.endedAt ?? (live ? now : started)) - started)} ·{' '}
          {formatDevices(run.devices)}
        </span>
        <div className="page__actions">
          <Button
            onClick={() => {
              useCompose.getState().start(run.configName, run.overrides);
              navigate({ page: 'compose' });
            }}
          >
            <SlidersHorizontal size={15} /> Compose like this
          </Button>
          {!live && !run.folderMissing && (
            <>
              <Button onClick={() => navigate({ page: 'inference', runId: run.id })}>
                <FlaskConical size={15} /> Inference
              </Button>
              <Button onClick={() => void useRun.getState().resume()}>
                <Play size={15} /> Resume
              </Button>
            </>
          )}
          {live && (
            <>
              <Button disabled={run.status === 'stopping'} onClick={() => void useRun.getState().stop('stop')}>
                <Square size={15} /> {run.status === 'stopping' ? 'Stopping…' : 'Stop and save'}
              </Button>
              <Button look="danger" onClick={() => setKilling(true)}>
                <OctagonX size={15} /> Kill
              </Button>
            </>
          )}
        </div>
      </header>
      {(run.parent || run.branches.length > 0) && <Lineage run={run} />}
      {live && progress && <ProgressLine progress={progress} />}
      <ConfirmDialog
        open={killing}
        danger
        title={`Kill ${run.name}?`}
        confirmLabel="Kill now"
        onCancel={() => setKilling(false)}
        onConfirm={() => {
          setKilling(false);
          void useRun.getState().stop('kill');
        }}
      >
        Its processes end at once. Everything since the last checkpoint is lost;{' '}
        {run.status === 'stopping'
          ? 'it was asked to save and end, and waits for the end of a step, a batch or a validation.'
          : '“Stop and save” keeps it.'}
      </ConfirmDialog>
    </>
  );
}
