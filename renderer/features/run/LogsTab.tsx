import { useEffect, useRef, useState } from 'react';
import type { RunDetail } from '../../../engine/api/runModel.ts';
import { formatBytes } from '../../../engine/base/format.ts';
import { useLog } from '../../stores/log.ts';
import { EmptyState, ErrorNotice } from '../../ui/states.tsx';

/** The tail of a rank's log, following the end until the reader scrolls away from it. */
export function LogsTab({ run }: { readonly run: RunDetail }) {
  const { text, truncated, error, file } = useLog();
  const [follow, setFollow] = useState(true);
  const view = useRef<HTMLPreElement>(null);
  const first = run.logFiles.find((log) => log.file.includes('rank0'))?.file ?? run.logFiles[0]?.file;
  useEffect(() => {
    if (first !== undefined) useLog.getState().open(run.id, first);
  }, [run.id, first]);
  useEffect(() => {
    if (follow && text.length >= 0) view.current?.scrollTo({ top: view.current.scrollHeight });
  }, [text, follow]);
  if (run.logFiles.length === 0) {
    return <EmptyState title="No logs yet" text="Each worker process writes one, as soon as it starts." />;
  }
  return (
    <section className="panel logs" aria-label="Logs">
      <header className="panel__head">
        <select
          className="select logs__file"
          aria-label="Log file"
          value={file ?? ''}
          onChange={(event) => useLog.getState().open(run.id, event.target.value)}
        >
          {run.logFiles.map((log) => (
            <option key={log.file} value={log.file}>
              {log.file} ({formatBytes(log.bytes)})
            </option>
          ))}
        </select>
        <div className="panel__actions">
          <label className="charts__option">
            <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} /> Follow
          </label>
        </div>
      </header>
      {error && <ErrorNotice error={error} onRetry={() => void useLog.getState().readMore()} />}
      <pre
        className="code logs__text"
        ref={view}
        tabIndex={0}
        role="log"
        aria-label={file ?? 'Log'}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          setFollow(scrollHeight - scrollTop - clientHeight < 24);
        }}
      >
        {truncated && <span className="code__comment">… earlier lines are in the file{'\n'}</span>}
        {text || (!error && <span className="code__comment">Nothing written yet.</span>)}
      </pre>
    </section>
  );
}
