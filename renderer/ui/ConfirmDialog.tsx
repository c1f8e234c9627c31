import type { ReactNode } from 'react';
import { Button } from './Button.tsx';
import { DialogFrame } from './DialogFrame.tsx';

export interface ConfirmDialogProps {
  readonly open: boolean;
  readonly title: string;
  readonly children: ReactNode;
  readonly confirmLabel: string;
  readonly danger?: boolean;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <DialogFrame open={props.open} title={props.title} role="alertdialog" onClose={props.onCancel}>
      <div>{props.children}</div>
      <div className="dialog__actions">
        <Button onClick={props.onCancel}>Cancel</Button>
        <Button look={props.danger ? 'danger' : 'primary'} onClick={props.onConfirm} autoFocus>
          {props.confirmLabel}
        </Button>
      </div>
    </DialogFrame>
  );
}
