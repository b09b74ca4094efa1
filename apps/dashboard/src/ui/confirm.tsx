import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorPanel } from './error-panel.tsx';
import { Field } from './field.tsx';

/** Asks before an action that cannot be taken back; with `typed` only after the user has typed that name. */
export function Confirm({
  title,
  action,
  typed,
  isOpen,
  onClose,
  onConfirm,
  isDanger = true,
  children,
}: {
  readonly title: string;
  /** The verb on the button: `Delete`. */
  readonly action: string;
  readonly typed?: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** The dialog closes when the promise resolves, and shows the error when it rejects. */
  readonly onConfirm: () => Promise<unknown>;
  readonly isDanger?: boolean;
  /** What happens, in one or two sentences. */
  readonly children: ReactNode;
}) {
  const [text, setText] = useState('');
  const run = useMutation({
    mutationFn: onConfirm,
    onSuccess: () => close(),
  });
  const close = (): void => {
    setText('');
    run.reset();
    onClose();
  };
  return (
    <Dialog
      title={title}
      isOpen={isOpen}
      onClose={close}
      isAlert
      actions={
        <>
          <Button look="quiet" onPress={close}>
            Cancel
          </Button>
          <Button
            look={isDanger ? 'danger' : 'primary'}
            isPending={run.isPending}
            isDisabled={typed !== undefined && text !== typed}
            onPress={() => run.mutate()}
          >
            {action}
          </Button>
        </>
      }
    >
      <div>{children}</div>
      {typed !== undefined && (
        <Field label={`Type ${typed} to confirm`} value={text} onChange={setText} isMono autoComplete="off" autoFocus />
      )}
      {run.error !== null && <ErrorPanel error={run.error} />}
    </Dialog>
  );
}
