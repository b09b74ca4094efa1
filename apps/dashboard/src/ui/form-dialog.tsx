import { type FormEvent, type ReactNode, useId } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

/** A dialog with fields, Cancel, and a button that sends them, as does Enter. */
export function FormDialog({
  title,
  action,
  canSend,
  isPending,
  onSend,
  onClose,
  children,
}: {
  readonly title: string;
  /** The word on the button. */
  readonly action: string;
  /** Whether the fields are complete. */
  readonly canSend: boolean;
  readonly isPending: boolean;
  readonly onSend: () => void;
  readonly onClose: () => void;
  /** The fields, and what the server said of them. */
  readonly children: ReactNode;
}) {
  const form = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (canSend && !isPending) onSend();
  };
  return (
    <Dialog
      title={title}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={isPending} isDisabled={!canSend}>
            {action}
          </Button>
        </>
      }
    >
      {/* The reply of the server states what is wrong with a field. */}
      <form id={form} className="ui-stack" onSubmit={submit} noValidate>
        {children}
      </form>
    </Dialog>
  );
}
