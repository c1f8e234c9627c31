import './inference.css';
import { useEffect } from 'react';
import { formatCount } from '../../../engine/base/format.ts';
import { useInference } from '../../stores/inference.ts';
import { navigate } from '../../stores/router.ts';
import { useRuns } from '../../stores/runs.ts';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { EmptyState, ErrorNotice, LoadingState } from '../../ui/states.tsx';
import { ArgumentFields } from './ArgumentFields.tsx';
import { CheckpointPicker } from './CheckpointPicker.tsx';
import { DrawPad } from './DrawPad.tsx';
import { PredictionView } from './PredictionView.tsx';
import { SamplePicker } from './SamplePicker.tsx';
import { TensorInput } from './TensorInput.tsx';
import { TextPrompt } from './TextPrompt.tsx';

export interface InferencePageProps {
  readonly runId: string | undefined;
  readonly checkpoint: string | undefined;
}

/** Ask a checkpoint: choose one, draw or pick an input, see what the model says. */
export function InferencePage({ runId, checkpoint }: InferencePageProps) {
  const { session, checkpoints } = useInference();
  const runs = useRuns((state) => state.list);
  useEffect(() => void useRuns.getState().load(), []);
  useEffect(() => useInference.getState().show(runId, checkpoint), [runId, checkpoint]);
  const input = session.data?.signature.input;
  return (
    <div className="page">
      <header className="page__head">
        <h1 className="page__title">Inference</h1>
        <CheckpointPicker runId={runId} checkpoint={checkpoint} />
      </header>
      {checkpoints.error && <ErrorNotice error={checkpoints.error} />}
      {session.error && <ErrorNotice error={session.error} onRetry={useInference.getState().retry} />}
      {session.loading && <LoadingState label="Loading the checkpoint in a process of its own" />}
      {!session.data && !session.loading && !session.error && !checkpoints.error && (
        <EmptyState
          title={runs.data?.total === 0 ? 'No trained model yet' : 'Choose a run and a checkpoint'}
          text={
            runs.data?.total === 0
              ? 'Train one first: its checkpoints can be asked here while it still trains.'
              : 'The model loads in a process of its own; draw an input or pick one of the data, and see its answer.'
          }
          action={
            runs.data?.total === 0 && (
              <Button look="primary" onClick={() => navigate({ page: 'compose' })}>
                Compose a config
              </Button>
            )
          }
        />
      )}
      {session.data && input && (
        <>
          <div className="inference__facts">
            <span>
              epoch {session.data.epoch}, step {formatCount(session.data.step)} · {formatCount(session.data.parameters)}{' '}
              parameters · {session.data.backend}
            </span>
            {session.data.hasAverages && (
              <label className="inference__switch" title="Training averaged the weights (trainer.ema)">
                <input
                  type="checkbox"
                  checked={session.data.isAveraged}
                  onChange={(event) => useInference.getState().setUseEma(event.target.checked)}
                />{' '}
                Averaged weights (EMA)
              </label>
            )}
          </div>
          <div className="inference__columns">
            <Panel title={input.type === 'image' ? 'Draw' : 'Input'}>
              <div className="inference__input">
                {input.type === 'image' && <DrawPad key={session.data.sessionId} size={input} />}
                {input.type === 'text' && <TextPrompt key={session.data.sessionId} signature={input} />}
                {input.type === 'tensor' && <TensorInput key={session.data.sessionId} shape={input.shape} />}
                <ArgumentFields signature={session.data.signature} />
              </div>
            </Panel>
            <PredictionView />
            {session.data.splits.length > 0 && <SamplePicker session={session.data} />}
          </div>
        </>
      )}
    </div>
  );
}
