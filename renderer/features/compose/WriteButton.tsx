import { useState } from 'react';
import type { FileEdit } from '../../../engine/api/configModel.ts';
import { type EngineError, toEngineError } from '../../../engine/api/errors.ts';
import { useCompose } from '../../stores/compose.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx';
import { ErrorNotice } from '../../ui/states.tsx';
import './write.css';

/** Writes what an override says into the file that sets the key, after showing the lines that change. */
export function WriteButton({ path, onWritten }: { readonly path: string; readonly onWritten: () => void }) {
  const [edit, setEdit] = useState<FileEdit>();
  const [error, setError] = useState<EngineError>();
  const attempt = async (step: () => Promise<void>) => {
    setError(undefined);
    try {
      await step();
    } catch (thrown) {
      setError(toEngineError(thrown));
    }
  };
  const preview = () => attempt(async () => setEdit(await useCompose.getState().previewWrite(path)));
  const write = () => {
    setEdit(undefined);
    void attempt(async () => {
      await useCompose.getState().write(path);
      onWritten();
    });
  };
  return (
    <>
      <Button onClick={() => void preview()}>Write to file…</Button>
      {error && <ErrorNotice error={error} />}
      {edit && (
        <ConfirmDialog
          open
          title={`Write '${path}' to its file?`}
          confirmLabel="Write"
          onConfirm={write}
          onCancel={() => setEdit(undefined)}
        >
          <EditView edit={edit} />
        </ConfirmDialog>
      )}
    </>
  );
}

function EditView({ edit }: { readonly edit: FileEdit }) {
  const { overrides } = useCompose.getState();
  const gone = overrides.filter((text) => !edit.overrides.includes(text));
  const more = edit.overrides.filter((text) => !overrides.includes(text));
  return (
    <div className="write">
      <div className="write__place mono">
        {edit.file}:{edit.line}
      </div>
      <pre className="write__lines">
        {edit.removed.map((line, index) => (
          <del key={`-${index}:${line}`}>- {line}</del>
        ))}
        {edit.added.map((line, index) => (
          <ins key={`+${index}:${line}`}>+ {line}</ins>
        ))}
      </pre>
      <p>
        Every config that uses this file changes with it. The composed config stays as it is
        {gone.length > 0 && (
          <>
            , without the override <code>{gone.join(' ')}</code>
          </>
        )}
        {more.length > 0 && (
          <>
            ; needed instead: <code>{more.join(' ')}</code>
          </>
        )}
        .
      </p>
      {edit.alsoChanged.length > 0 && (
        <p>
          Also changed, by an alias: <code>{edit.alsoChanged.join(', ')}</code>
        </p>
      )}
    </div>
  );
}
