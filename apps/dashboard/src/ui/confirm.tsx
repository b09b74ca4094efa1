import { lazy, type ReactNode, Suspense, useState } from 'react';

export interface ConfirmProps {
  readonly title: string;
  /** The verb on the button: `Delete`. */
  readonly action: string;
  readonly typed?: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** The dialog closes when the promise resolves, and shows the error when it rejects. */
  readonly onConfirm: () => Promise<unknown>;
  readonly isDanger?: boolean;
  /** There is nothing to do: the text says why. */
  readonly isBlocked?: boolean;
  /** What happens, in one or two sentences. */
  readonly children: ReactNode;
}

// Loaded when it is first opened.
const ConfirmDialog = lazy(async () => ({ default: (await import('./confirm-dialog.tsx')).ConfirmDialog }));

/** Asks before an action that cannot be taken back; with `typed` only after the user has typed that name. */
export function Confirm(props: ConfirmProps) {
  const [hasOpened, setHasOpened] = useState(props.isOpen);
  if (props.isOpen && !hasOpened) setHasOpened(true);
  return hasOpened ? (
    <Suspense>
      <ConfirmDialog {...props} />
    </Suspense>
  ) : null;
}
