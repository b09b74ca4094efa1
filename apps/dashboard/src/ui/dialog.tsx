import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { IconButton } from './button.tsx';
import './overlay.css';

interface OverlayProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons below the body, the primary one last. */
  readonly actions?: ReactNode;
}

/** A dialog in the middle of the page; from below on a phone. */
export function Dialog({
  wide = false,
  canDismiss = true,
  isAlert = false,
  ...rest
}: OverlayProps & {
  readonly wide?: boolean;
  /** False: closed by its own buttons only. */
  readonly canDismiss?: boolean;
  readonly isAlert?: boolean;
}) {
  const className = `ui-modal${wide ? ' ui-modal-wide' : ''}`;
  return <Overlay {...rest} className={className} shade="ui-shade" canDismiss={canDismiss} isAlert={isAlert} />;
}

/** A panel from the side for details and settings; from below on a phone. */
export function Sheet(props: OverlayProps) {
  return (
    <Overlay {...props} className="ui-modal ui-sheet" shade="ui-shade ui-sheet-shade" canDismiss isAlert={false} />
  );
}

function Overlay({
  title,
  isOpen,
  onClose,
  children,
  actions,
  className,
  shade,
  canDismiss,
  isAlert,
}: OverlayProps & {
  readonly className: string;
  readonly shade: string;
  readonly canDismiss: boolean;
  readonly isAlert: boolean;
}) {
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
        <AriaDialog className="ui-dialog" role={isAlert ? 'alertdialog' : 'dialog'}>
          <div className="ui-dialog-head">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            {canDismiss && <IconButton label="Close" icon="close" onPress={onClose} />}
          </div>
          <div className="ui-dialog-body">{children}</div>
          {actions && <div className="ui-dialog-actions">{actions}</div>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
