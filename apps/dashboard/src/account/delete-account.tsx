import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { problemOf } from '../ui/problem.ts';
import { Subject } from './account-frame.tsx';
import { ProofFields, useProof } from './proof.tsx';

export function DeleteAccount() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Subject
      title="Delete the account"
      note="Your sessions, tokens, and projects with their runs, data, files and evaluations end with it."
    >
      <div className="ui-actions">
        <Button look="danger" icon="trash" onPress={() => setOpen(true)}>
          Delete the account
        </Button>
      </div>
      {isOpen && <DeleteAccountDialog onClose={() => setOpen(false)} />}
    </Subject>
  );
}

function DeleteAccountDialog({ onClose }: { readonly onClose: () => void }) {
  const { user } = useSession();
  const [typed, setTyped] = useState('');
  const { proof, setProof, confirmation } = useProof();
  const form = useId();
  const remove = useMutation({
    mutationFn: () => cloud().auth.deleteAccount(confirmation),
    onSuccess: () => window.location.assign('/login'),
  });
  const isConflict = remove.error !== null && problemOf(remove.error).code === 'conflict';
  return (
    <Dialog
      title="Delete the account"
      isOpen
      onClose={onClose}
      isAlert
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            type="submit"
            form={form}
            look="danger"
            isPending={remove.isPending}
            isDisabled={typed !== user.username || proof.password === ''}
          >
            Delete the account
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!remove.isPending) remove.mutate();
        }}
      >
        <p>This cannot be undone. Usage stays for the bill, and the audit log keeps its entries.</p>
        <Field
          label={`Type ${user.username} to confirm`}
          value={typed}
          onChange={setTyped}
          isMono
          autoComplete="off"
          autoFocus
        />
        <ProofFields proof={proof} onChange={setProof} />
        {remove.error !== null && (
          <ErrorPanel error={remove.error}>
            {isConflict && <Link to="/members">Look at the project and its members</Link>}
          </ErrorPanel>
        )}
      </form>
    </Dialog>
  );
}
