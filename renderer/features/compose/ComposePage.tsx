import './compose.css';
import { ArrowRight, Redo2, Undo2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toEngineError } from '../../../engine/api/errors.ts';
import { useCompose } from '../../stores/compose.ts';
import { useProject } from '../../stores/project.ts';
import { navigate } from '../../stores/router.ts';
import { Button } from '../../ui/Button.tsx';
import { CommandLine } from '../../ui/CommandLine.tsx';
import { ErrorNotice, LoadingState, Notice, Spinner } from '../../ui/states.tsx';
import { ConfigTree } from './ConfigTree.tsx';
import { GroupPickers } from './GroupPickers.tsx';
import { OverrideList } from './OverrideList.tsx';
import { ProblemList } from './ProblemList.tsx';
import { ResultPanel } from './ResultPanel.tsx';

export function ComposePage() {
  const project = useProject((state) => state.project.data);
  const configName = useCompose((state) => state.configName);
  const composed = useCompose((state) => state.composed);
  const schema = useCompose((state) => state.schema);
  const editError = useCompose((state) => state.editError);
  useUndoKeys();
  return (
    <div className="page compose">
      <header className="page__head">
        <h1 className="page__title">Compose</h1>
        <select
          className="select compose__config"
          aria-label="Primary config"
          value={configName}
          onChange={(event) => useCompose.getState().start(event.target.value, [])}
        >
          {project?.configNames.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <ComposeTiming />
        <div className="page__actions">
          <HistoryButtons />
          <Button look="primary" onClick={() => navigate({ page: 'launch' })} disabled={!composed.data}>
            Launch <ArrowRight size={15} />
          </Button>
        </div>
      </header>
      {composed.error && <ErrorNotice error={composed.error} onRetry={() => void useCompose.getState().compose()} />}
      {editError !== undefined && <ErrorNotice error={toEngineError(editError)} />}
      {composed.data?.warnings.map((warning) => (
        <Notice look="warning" key={warning}>
          {warning}
        </Notice>
      ))}
      {composed.data ? (
        <>
          <ProblemList problems={schema.data?.problems ?? []} />
          {schema.error && <ErrorNotice error={schema.error} />}
          <CommandLine command={composed.data.command} />
          <div className="compose__columns">
            <div className="compose__side">
              <OverrideList errorIndex={overrideIndexOf(composed.error?.details)} />
              <GroupPickers groups={composed.data.groups} />
            </div>
            <ConfigTree config={composed.data} stale={composed.error !== undefined} />
            <ResultPanel config={composed.data} />
          </div>
        </>
      ) : (
        <>
          {!composed.error && <LoadingState label="Composing" />}
          {composed.error && <OverrideList errorIndex={overrideIndexOf(composed.error.details)} />}
        </>
      )}
    </div>
  );
}

function overrideIndexOf(details: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const index = details?.override;
  return typeof index === 'number' ? index : undefined;
}

function ComposeTiming() {
  const { data, loading } = useCompose((state) => state.composed);
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (!loading) return;
    const timer = setTimeout(() => setSlow(true), 150); // a spinner that flashes on every key is worse than none
    return () => clearTimeout(timer);
  }, [loading]);
  if (loading && slow) return <Spinner label="Composing" />;
  if (!data) return null;
  return (
    <span className="compose__timing">
      {data.files.length} files, {data.elapsedMs.toFixed(1)} ms
    </span>
  );
}

function HistoryButtons() {
  const canUndo = useCompose((state) => state.past.length > 0);
  const canRedo = useCompose((state) => state.future.length > 0);
  return (
    <>
      <Button icon look="quiet" aria-label="Undo (Ctrl+Z)" disabled={!canUndo} onClick={useCompose.getState().undo}>
        <Undo2 size={16} />
      </Button>
      <Button
        icon
        look="quiet"
        aria-label="Redo (Ctrl+Shift+Z)"
        disabled={!canRedo}
        onClick={useCompose.getState().redo}
      >
        <Redo2 size={16} />
      </Button>
    </>
  );
}

function useUndoKeys() {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
      // inside a field the browser's own undo of typing is what a person means
      if (event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      if (event.shiftKey) useCompose.getState().redo();
      else useCompose.getState().undo();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
