import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { serverQuery } from '../api/server.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { Subject } from './account-frame.tsx';
import { NO_PROOF, ProofFields, useProof } from './proof.tsx';

export function EmailAddress() {
  const { user } = useSession();
  const [isOpen, setOpen] = useState(false);
  const [email, setEmail] = useState('');
  const { proof, setProof, confirmation } = useProof();
  const resend = useMutation({ mutationFn: () => cloud().auth.sendVerification() });
  const change = useMutation({
    mutationFn: () => cloud().auth.changeEmail(email.trim(), confirmation),
    onSuccess: () => {
      setOpen(false);
      setProof(NO_PROOF);
    },
  });
  return (
    <Subject title="E-mail address" note="Signs you in, and gets the links that recover the account.">
      <div className="ui-actions account-between">
        <span className="account-address">
          {user.email}{' '}
          <StateBadge
            {...(user.verified
              ? { state: 'verified', label: 'confirmed' }
              : { state: 'requested', label: 'not confirmed' })}
          />
        </span>
        <span className="ui-actions">
          {!user.verified && (
            <Button size="small" icon="mail" isPending={resend.isPending} onPress={() => resend.mutate()}>
              Send the link again
            </Button>
          )}
          {!isOpen && (
            <Button size="small" onPress={() => setOpen(true)}>
              Change
            </Button>
          )}
        </span>
      </div>
      {resend.isSuccess && <MailNote>A link to confirm the address is on its way to {user.email}.</MailNote>}
      {resend.error !== null && <ErrorPanel error={resend.error} />}
      {change.isSuccess && !isOpen && (
        <MailNote>A link is on its way to {email.trim()}. Nothing changes before it is opened, within a day.</MailNote>
      )}
      {isOpen && (
        <form
          className="ui-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (!change.isPending) change.mutate();
          }}
        >
          <Field
            label="New address"
            type="email"
            name="email"
            autoComplete="email"
            value={email}
            onChange={setEmail}
            maxLength={254}
            isRequired
            autoFocus
          />
          <ProofFields proof={proof} onChange={setProof} />
          {change.error !== null && <ErrorPanel error={change.error} />}
          <div className="ui-actions">
            <Button type="submit" look="primary" isPending={change.isPending}>
              Send a link to the new address
            </Button>
            <Button look="quiet" onPress={() => setOpen(false)}>
              Cancel
            </Button>
          </div>
        </form>
      )}
    </Subject>
  );
}

/** What happens next, and where the link is on a server without mail. */
function MailNote({ children }: { readonly children: React.ReactNode }) {
  const { data: server } = useQuery(serverQuery);
  return (
    <p className="account-note" role="status">
      {children}
      {server?.mail === false && ' This server sends no mail: ask its operator for the link, which is in the log.'}
    </p>
  );
}
