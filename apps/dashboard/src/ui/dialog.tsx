import { lazy, type ReactNode, Suspense } from 'react';

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
  return <Frame {...rest} className={className} shade="ui-shade" canDismiss={canDismiss} isAlert={isAlert} />;
}

/** A panel from the side for details and settings; from below on a phone. */
export function Sheet(props: OverlayProps) {
  return <Frame {...props} className="ui-modal ui-sheet" shade="ui-shade ui-sheet-shade" canDismiss isAlert={false} />;
}

export interface FrameProps extends OverlayProps {
  readonly className: string;
  readonly shade: string;
  readonly canDismiss: boolean;
  readonly isAlert: boolean;
}

// Loaded after the page shows: no dialog is open at first.
const LazyFrame = lazy(async () => ({ default: (await import('./overlay-frame.tsx')).OverlayFrame }));

function Frame(props: FrameProps) {
  return (
    <Suspense>
      <LazyFrame {...props} />
    </Suspense>
  );
}
