import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { classNames } from '../lib/classNames.ts';

export interface DialogFrameProps {
  readonly open?: boolean;
  /** Undefined only while it is closed and has nothing to name. */
  readonly title: ReactNode;
  readonly role?: 'dialog' | 'alertdialog';
  readonly className?: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}

/** What every dialog shares: Escape and a click beside it close it, and focus returns to where it was. */
export function DialogFrame({ open = true, title, role = 'dialog', className, children, onClose }: DialogFrameProps) {
  return (
    <ModalOverlay
      className="dialog__overlay"
      isOpen={open}
      isDismissable
      onOpenChange={(isOpen) => !isOpen && onClose()}
    >
      <Modal>
        <Dialog className={classNames('dialog', className)} role={role}>
          <Heading slot="title" className="dialog__title">
            {title}
          </Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
