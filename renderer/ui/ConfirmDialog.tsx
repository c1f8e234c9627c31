import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button } from './Button.tsx';

export interface ConfirmDialogProps {
  readonly open: boolean;
  readonly title: string;
  readonly children: ReactNode;
  readonly confirmLabel: string;
  readonly danger?: boolean;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}

/** Asks before something that cannot be undone. Escape and the overlay cancel; focus returns where it was. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <ModalOverlay
      className="dialog__overlay"
      isOpen={props.open}
      isDismissable
      onOpenChange={(open) => !open && props.onCancel()}
    >
      <Modal>
        <Dialog className="dialog" role="alertdialog">
          <Heading slot="title" className="dialog__title">
            {props.title}
          </Heading>
          <div>{props.children}</div>
          <div className="dialog__actions">
            <Button onClick={props.onCancel}>Cancel</Button>
            <Button look={props.danger ? 'danger' : 'primary'} onClick={props.onConfirm} autoFocus>
              {props.confirmLabel}
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
