import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from './button.tsx';
import type { ConfirmProps } from './confirm.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorPanel } from './error-panel.tsx';
import { Field } from './field.tsx';

/** What a `Confirm` shows. */
export function ConfirmDialog({
  title,
  action,
  typed,
  isOpen,
  onClose,
  onConfirm,
  isDanger = true,
  isBlocked = false,
  children,
}: ConfirmProps) {
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
          {/* Beside “Cancel the run” it would be another Cancel. */}
          <Button onPress={close}>{action.startsWith('Cancel') ? 'Back' : 'Cancel'}</Button>
          <Button
            look={isDanger ? 'danger' : 'primary'}
            isPending={run.isPending}
            isDisabled={isBlocked || (typed !== undefined && text !== typed)}
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
