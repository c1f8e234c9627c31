import { FlaskConical, GitBranch, Play, ShieldCheck, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { CheckpointInfo, RunDetail } from '../../../engine/api/runModel.ts';
import { formatBytes, formatCount } from '../../../engine/base/format.ts';
import { formatAgo, formatDateTime, formatNumber } from '../../lib/format.ts';
import { navigate } from '../../stores/router.ts';
import { useRun } from '../../stores/run.ts';
import { isLive } from '../../stores/runs.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { useNow } from '../../ui/useNow.ts';
import { WhenLoaded } from '../../ui/WhenLoaded.tsx';
import { type GoOn, GoOnDialog } from './GoOnDialog.tsx';
import { VerifyDialog } from './VerifyDialog.tsx';

const TONES: Readonly<Record<CheckpointInfo['kind'], Tone>> = {
  best: 'green',
  epoch: 'neutral',
  step: 'neutral',
  permanent: 'violet',
};

/** The one that is asked for most stands first, wherever among many its step would put it. */
function bestFirst(checkpoints: readonly CheckpointInfo[]): CheckpointInfo[] {
  return checkpoints.toSorted((a, b) => Number(b.kind === 'best') - Number(a.kind === 'best'));
}

export function CheckpointsTab({ run }: { readonly run: RunDetail }) {
  const load = useRun((state) => state.checkpoints);
  return (
    <WhenLoaded load={load} label="Looking for checkpoints" onRetry={() => void useRun.getState().loadCheckpoints()}>
      {(checkpoints) =>
        checkpoints.length > 0 ? (
          <Checkpoints run={run} checkpoints={bestFirst(checkpoints)} />
        ) : (
          <EmptyState
            title="No checkpoints yet"
            text={
              isLive(run.status)
                ? 'They appear as the trainer saves them (save_every_n_epochs, save_every_n_steps).'
                : 'This run ended before its first save.'
            }
          />
        )
      }
    </WhenLoaded>
  );
}

interface CheckpointsProps {
  readonly run: RunDetail;
  readonly checkpoints: readonly CheckpointInfo[];
}

function Checkpoints({ run, checkpoints }: CheckpointsProps) {
  const [removing, setRemoving] = useState<CheckpointInfo>();
  const [going, setGoing] = useState<{ readonly how: GoOn; readonly from: CheckpointInfo }>();
  const [verifying, setVerifying] = useState<CheckpointInfo>();
  const now = useNow(30_000);
  return (
    <div className="panel run__scroll">
      <table className="table table--stacks">
        <thead>
          <tr>
            <th>Checkpoint</th>
            <th className="numeric">Epoch</th>
            <th className="numeric">Step</th>
            <th>Metrics at save</th>
            <th className="numeric">Size</th>
            <th>Saved</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {checkpoints.map((checkpoint) => (
            <tr key={checkpoint.path} className={checkpoint.missing ? 'run__missing' : undefined}>
              <td>
                <strong>{checkpoint.name}</strong> <Badge tone={TONES[checkpoint.kind]}>{checkpoint.kind}</Badge>{' '}
                {checkpoint.missing && <Badge tone="red">folder missing</Badge>}
              </td>
              <td className="numeric" data-label="Epoch">
                {checkpoint.epoch}
              </td>
              <td className="numeric" data-label="Step">
                {formatCount(checkpoint.step)}
              </td>
              <td className="mono" data-label="Metrics">
                {Object.entries(checkpoint.metrics)
                  .map(([key, value]) => `${key} ${formatNumber(value)}`)
                  .join(', ') || '–'}
              </td>
              <td className="numeric" data-label="Size">
                {formatBytes(checkpoint.bytes)}
              </td>
              <td title={formatDateTime(checkpoint.savedAt)} data-label="Saved">
                {formatAgo(checkpoint.savedAt, now)}
              </td>
              <td>
                <div className="run__row-actions">
                  <Button
                    aria-label={`Try it: ${checkpoint.name}`}
                    disabled={checkpoint.missing}
                    onClick={() => navigate({ page: 'inference', runId: run.id, checkpoint: checkpoint.path })}
                  >
                    <FlaskConical size={14} /> Try it
                  </Button>
                  <Button
                    icon
                    look="quiet"
                    aria-label={`Verify ${checkpoint.name}`}
                    disabled={checkpoint.missing}
                    onClick={() => setVerifying(checkpoint)}
                  >
                    <ShieldCheck size={15} />
                  </Button>
                  {!isLive(run.status) && (
                    <>
                      <Button
                        icon
                        look="quiet"
                        aria-label={`Resume from ${checkpoint.name}`}
                        disabled={checkpoint.missing}
                        onClick={() => setGoing({ how: 'resume', from: checkpoint })}
                      >
                        <Play size={15} />
                      </Button>
                      <Button
                        icon
                        look="quiet"
                        aria-label={`Branch from ${checkpoint.name}`}
                        disabled={checkpoint.missing}
                        onClick={() => setGoing({ how: 'branch', from: checkpoint })}
                      >
                        <GitBranch size={15} />
                      </Button>
                      <Button
                        icon
                        look="quiet"
                        aria-label={`Delete ${checkpoint.name}`}
                        onClick={() => setRemoving(checkpoint)}
                      >
                        <Trash2 size={15} />
                      </Button>
                    </>
                  )}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {verifying && <VerifyDialog run={run} checkpoint={verifying} onClose={() => setVerifying(undefined)} />}
      {going && <GoOnDialog run={run} how={going.how} from={going.from} onClose={() => setGoing(undefined)} />}
      <ConfirmDialog
        open={removing !== undefined}
        danger
        title={`Delete ${removing?.name ?? 'checkpoint'}?`}
        confirmLabel="Delete the folder"
        onCancel={() => setRemoving(undefined)}
        onConfirm={() => {
          if (removing) void useRun.getState().removeCheckpoint(removing.path);
          setRemoving(undefined);
        }}
      >
        The folder <code>{removing?.path}</code> with its weights and optimizer state is deleted. This cannot be undone.
      </ConfirmDialog>
    </div>
  );
}
