import { useCallback, useEffect, useRef, useState } from 'react';
import { toEngineError } from '../../../engine/api/errors.ts';
import type { CheckpointInfo, RunDetail } from '../../../engine/api/runModel.ts';
import type { VerifyReport } from '../../../engine/api/verifyModel.ts';
import { describeReplay } from '../../../engine/api/verifyText.ts';
import { formatBytes, formatCount } from '../../../engine/base/format.ts';
import { Latest } from '../../lib/latest.ts';
import { shellWord } from '../../lib/shellWord.ts';
import { useRun } from '../../stores/run.ts';
import { Badge } from '../../ui/Badge.tsx';
import { CommandLine } from '../../ui/CommandLine.tsx';
import { FormDialog } from '../../ui/FormDialog.tsx';
import { ErrorNotice, Spinner } from '../../ui/states.tsx';

export interface VerifyDialogProps {
  readonly run: RunDetail;
  readonly checkpoint: CheckpointInfo;
  readonly onClose: () => void;
}

/**
 * Checks the checkpoint's files at once, and does steps again when asked. Closing ends what is under way: a replay is a
 * training of its own and may take long.
 */
export function VerifyDialog({ run, checkpoint, onClose }: VerifyDialogProps) {
  const [steps, setSteps] = useState('');
  const [busy, setBusy] = useState<'files' | 'replay'>();
  const [report, setReport] = useState<VerifyReport>();
  const [error, setError] = useState<unknown>();
  const latest = useRef(new Latest()).current;
  const verify = useCallback(
    async (how: 'files' | 'replay', count: number | undefined) => {
      setBusy(how);
      setError(undefined);
      try {
        const found = await latest.run((signal) => useRun.getState().verify(checkpoint.path, count, signal));
        if (found !== undefined) setReport(found);
      } catch (problem) {
        setError(problem);
      }
      setBusy(undefined);
    },
    [checkpoint.path, latest],
  );
  useEffect(() => {
    void verify('files', 0);
    return () => latest.cancel();
  }, [verify, latest]);
  const count = steps.trim() === '' ? undefined : Number(steps);
  const isCountRight = count === undefined || (Number.isInteger(count) && count > 0);
  const isIntact = report?.damage === undefined;
  const replayLabel = busy === 'replay' ? 'Training again…' : 'Do the steps again';
  return (
    <FormDialog
      title={`Verify ${checkpoint.name}, step ${formatCount(checkpoint.step)}`}
      submitLabel={isIntact ? replayLabel : undefined}
      closeLabel={busy === 'replay' ? 'Cancel' : 'Close'}
      busy={busy !== undefined || !isCountRight}
      onSubmit={() => void verify('replay', count)}
      onClose={onClose}
    >
      <Findings run={run} report={report} busy={busy} />
      {error !== undefined && <ErrorNotice error={toEngineError(error)} />}
      {isIntact && (
        <label className="field">
          <span className="field__label">Steps to do again</span>
          <input
            className="input"
            inputMode="numeric"
            value={steps}
            placeholder="up to the next checkpoint"
            aria-invalid={!isCountRight}
            onChange={(event) => setSteps(event.target.value)}
          />
          <span className="field__hint">
            In processes of their own; the result must be what the run recorded, to the bit.
          </span>
        </label>
      )}
      <CommandLine command={commandOf(run, checkpoint, count)} />
    </FormDialog>
  );
}

interface FindingsProps {
  readonly run: RunDetail;
  readonly report: VerifyReport | undefined;
  readonly busy: 'files' | 'replay' | undefined;
}

function Findings({ run, report, busy }: FindingsProps) {
  const shown = (folder: string) =>
    folder.startsWith(`${run.expDir}/`) ? folder.slice(run.expDir.length + 1) : folder;
  const replay = report?.replay && describeReplay(report.replay, shown);
  return (
    <div className="verify" role="status">
      {report && (
        <p>
          <Badge tone={report.damage ? 'red' : 'green'}>{report.damage ? 'damaged' : 'files intact'}</Badge>{' '}
          {report.damage
            ? `${report.damage.text} ${nextText(report.damage.nextBest && shown(report.damage.nextBest))}`
            : `${formatCount(report.files.count)} files, ${formatBytes(report.files.bytes)}, every hash as saved`}
        </p>
      )}
      {replay && (
        <p>
          <Badge tone={replay.verdict === 'identical' ? 'green' : 'red'}>{replay.verdict}</Badge>{' '}
          {replay.text.replace(/^: /, '')}
        </p>
      )}
      {report?.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {busy && (
        <p className="verify__busy">
          <Spinner label="Verifying" /> {busy === 'files' ? 'Reading its files' : 'Doing the steps again'}…
        </p>
      )}
    </div>
  );
}

function nextText(next: string | undefined): string {
  return next === undefined ? 'The run has no other intact checkpoint.' : `The next best is ${next}.`;
}

function commandOf(run: RunDetail, checkpoint: CheckpointInfo, steps: number | undefined): string {
  const words = ['accelhydra verify', shellWord(`${run.expDir}/${checkpoint.path}`)];
  return [...words, ...(steps === undefined ? [] : [`--steps ${steps}`])].join(' ');
}
