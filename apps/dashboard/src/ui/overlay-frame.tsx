import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { IconButton } from './button.tsx';
import type { FrameProps } from './dialog.tsx';
import './overlay.css';

/** What dialogs and sheets share: the shade, the title and the ways to close. */
export function OverlayFrame({
  title,
  isOpen,
  onClose,
  children,
  actions,
  className,
  shade,
  canDismiss,
  isAlert,
}: FrameProps) {
  return (
    <ModalOverlay
      isOpen={isOpen}
      isDismissable={canDismiss}
      isKeyboardDismissDisabled={!canDismiss}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      className={shade}
    >
      <Modal className={className}>
        <Dialog className="ui-dialog" role={isAlert ? 'alertdialog' : 'dialog'}>
          <div className="ui-dialog-head">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            {canDismiss && <IconButton label="Close" icon="close" onPress={onClose} />}
          </div>
          <div className="ui-dialog-body">{children}</div>
          {actions && <div className="ui-dialog-actions">{actions}</div>}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
