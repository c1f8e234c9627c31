import { useState } from 'react';
import { EngineError, toEngineError } from '../../../engine/api/errors.ts';
import type { CheckpointInfo, RunDetail } from '../../../engine/api/runModel.ts';
import { formatCount } from '../../../engine/base/format.ts';
import { shellWord } from '../../lib/shellWord.ts';
import { navigate } from '../../stores/router.ts';
import { useRun } from '../../stores/run.ts';
import { Button } from '../../ui/Button.tsx';
import { CommandLine } from '../../ui/CommandLine.tsx';
import { FormDialog } from '../../ui/FormDialog.tsx';
import { ErrorNotice } from '../../ui/states.tsx';

/** In the run's own folder, or as a new run. */
export type GoOn = 'resume' | 'branch';

export interface GoOnDialogProps {
  readonly run: RunDetail;
  readonly how: GoOn;
  readonly from: CheckpointInfo;
  readonly onClose: () => void;
}

const EXPLAINED: Readonly<Record<GoOn, string>> = {
  resume:
    'The run goes on in its own folder, with its saved config. What was logged after this step is dropped. How long it trains, when it saves and logs, and where it reports may change.',
  branch: 'A new run begins here, in a folder of its own, with the saved config and any values you change.',
};

/** Asks what to change, shows the command that does the same, and starts. Escape and the overlay cancel. */
export function GoOnDialog({ run, how, from: first, onClose }: GoOnDialogProps) {
  const [from, setFrom] = useState(first);
  const [text, setText] = useState('');
  const [name, setName] = useState('');
  const [isBusy, setBusy] = useState(false);
  const error = useRun((state) => state.actionError);
  const checkpoints = useRun((state) => state.checkpoints.data);
  const nextBest = nextBestOf(error, from, checkpoints ?? []);
  const overrides = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const take = (other: CheckpointInfo) => {
    useRun.setState({ actionError: undefined });
    setFrom(other);
  };
  const start = async () => {
    setBusy(true);
    const { resume, branch } = useRun.getState();
    const branched = how === 'branch' ? await branch(from.path, overrides, name.trim() || undefined) : undefined;
    if (how === 'resume') await resume(from.path, overrides);
    setBusy(false);
    if (useRun.getState().actionError !== undefined) return;
    onClose();
    navigate({ page: 'run', runId: branched ?? run.id, tab: 'charts' });
  };
  const isResume = how === 'resume';
  return (
    <FormDialog
      title={`${isResume ? 'Resume' : 'Branch'} from ${from.name}, step ${formatCount(from.step)}`}
      submitLabel={isBusy ? 'Starting…' : isResume ? 'Resume' : 'Start the branch'}
      busy={isBusy}
      onSubmit={() => void start()}
      onClose={onClose}
    >
      <p className="dialog__text">{EXPLAINED[how]}</p>
      <label className="field">
        <span className="field__label">Overrides, one a line</span>
        <textarea
          className="input input--mono run__textarea"
          rows={3}
          value={text}
          spellCheck={false}
          placeholder={isResume ? 'epochs=10' : 'optimizer.lr=1e-4'}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {!isResume && (
        <label className="field">
          <span className="field__label">Name of the new run</span>
          <input
            className="input"
            value={name}
            placeholder="that of its folder"
            onChange={(event) => setName(event.target.value)}
          />
        </label>
      )}
      <CommandLine command={commandOf(run.id, how, from, overrides, name.trim())} />
      {error !== undefined && <ErrorNotice error={toEngineError(error)} />}
      {nextBest !== undefined && (
        <Button onClick={() => take(nextBest)}>
          Take {nextBest.name}, step {formatCount(nextBest.step)}, instead
        </Button>
      )}
    </FormDialog>
  );
}

/** Of a checkpoint that was refused because it is damaged: the one that the engine offers in its place. */
function nextBestOf(error: unknown, from: CheckpointInfo, all: readonly CheckpointInfo[]): CheckpointInfo | undefined {
  if (!EngineError.is(error, 'checkpoint.corrupt')) return undefined;
  const { nextBest } = error.details;
  return nextBest === from.path ? undefined : all.find(({ path }) => path === nextBest);
}

function commandOf(runId: string, how: GoOn, from: CheckpointInfo, overrides: readonly string[], name: string): string {
  const words = ['accelhydra runs', how, runId, '--checkpoint', from.path];
  if (how === 'branch' && name) words.push('--name', shellWord(name));
  return [...words, ...overrides.map(shellWord)].join(' ');
}
