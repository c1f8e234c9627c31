import type { ReactNode } from 'react';
import { Button } from './Button.tsx';
import { DialogFrame } from './DialogFrame.tsx';

export interface FormDialogProps {
  readonly title: ReactNode;
  readonly children: ReactNode;
  /** What the button that sends says; undefined: there is nothing to send, only to close. */
  readonly submitLabel: string | undefined;
  readonly closeLabel?: string;
  /** Sending waits: something is under way, or a field is not right yet. */
  readonly busy: boolean;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
}

/** A dialog with fields: Enter sends it as its button does. */
export function FormDialog(props: FormDialogProps) {
  const { submitLabel, busy } = props;
  return (
    <DialogFrame title={props.title} onClose={props.onClose}>
      <form
        className="dialog__form"
        onSubmit={(event) => {
          event.preventDefault();
          if (submitLabel !== undefined && !busy) props.onSubmit();
        }}
      >
        {props.children}
        <div className="dialog__actions">
          <Button onClick={props.onClose}>{props.closeLabel ?? 'Cancel'}</Button>
          {submitLabel !== undefined && (
            <Button look="primary" type="submit" busy={busy}>
              {submitLabel}
            </Button>
          )}
        </div>
      </form>
    </DialogFrame>
  );
}
