import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { changeUser, useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { toast } from '../ui/toasts.tsx';
import { Subject } from './account-frame.tsx';
import { ProofFields, useProof } from './proof.tsx';
import { RecoveryCodesDialog } from './recovery-codes-dialog.tsx';
import { TwoFactorDialog } from './two-factor-dialog.tsx';

const LEFT = ['recovery-codes'];

type Open = 'none' | 'begin' | 'end' | 'renew';

export function TwoFactor() {
  const { user } = useSession();
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open>('none');
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const { data: left } = useQuery({
    queryKey: LEFT,
    enabled: user.twoFactor,
    queryFn: ({ signal }) => cloud().auth.recoveryCodesLeft({ signal }),
  });
  const show = (made: readonly string[]): void => {
    setOpen('none');
    setCodes(made);
    changeUser(queries, { ...user, twoFactor: true });
    void queries.invalidateQueries({ queryKey: LEFT });
  };
  return (
    <Subject
      title="Two-factor sign-in"
      note="A code of an authenticator app beside the password. Turning it on or off ends all other sessions."
    >
      <div className="ui-actions account-between">
        <StateBadge state={user.twoFactor ? 'active' : 'off'} label={user.twoFactor ? 'on' : 'off'} />
        {user.twoFactor ? (
          <Button size="small" onPress={() => setOpen('end')}>
            Turn off
          </Button>
        ) : (
          <Button look="primary" size="small" onPress={() => setOpen('begin')}>
            Turn on
          </Button>
        )}
      </div>
      {user.twoFactor && (
        <div className="ui-actions account-between">
          <span>
            {left === undefined ? 'Recovery codes' : `${left.left} of ${left.of} recovery codes are unused.`}
            {left !== undefined && left.left <= 2 && <strong className="account-warn"> Make new ones soon.</strong>}
          </span>
          <Button size="small" onPress={() => setOpen('renew')}>
            New recovery codes
          </Button>
        </div>
      )}
      {open === 'begin' && <TwoFactorDialog onClose={() => setOpen('none')} onDone={show} />}
      {open === 'end' && <EndDialog onClose={() => setOpen('none')} />}
      {open === 'renew' && <RenewDialog onClose={() => setOpen('none')} onDone={show} />}
      {codes !== null && <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />}
    </Subject>
  );
}

function EndDialog({ onClose }: { readonly onClose: () => void }) {
  const { user } = useSession();
  const queries = useQueryClient();
  const { proof, setProof, confirmation } = useProof();
  const form = useId();
  const end = useMutation({
    mutationFn: () => cloud().auth.endTwoFactor(confirmation),
    onSuccess: () => {
      onClose();
      changeUser(queries, { ...user, twoFactor: false });
      toast('Two-factor sign-in is off.');
    },
  });
  return (
    <Dialog
      title="Turn two-factor sign-in off"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="danger" isPending={end.isPending}>
            Turn off
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!end.isPending) end.mutate();
        }}
      >
        <p>The password alone signs in then. The recovery codes end.</p>
        <ProofFields proof={proof} onChange={setProof} />
        {end.error !== null && <ErrorPanel error={end.error} />}
      </form>
    </Dialog>
  );
}

function RenewDialog({
  onClose,
  onDone,
}: {
  readonly onClose: () => void;
  readonly onDone: (codes: readonly string[]) => void;
}) {
  const { proof, setProof, confirmation } = useProof();
  const form = useId();
  const renew = useMutation({
    mutationFn: () => cloud().auth.renewRecoveryCodes(confirmation),
    onSuccess: onDone,
  });
  return (
    <Dialog
      title="New recovery codes"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={renew.isPending}>
            Make new codes
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!renew.isPending) renew.mutate();
        }}
      >
        <p>The present codes end at once.</p>
        <ProofFields proof={proof} onChange={setProof} />
        {renew.error !== null && <ErrorPanel error={renew.error} />}
      </form>
    </Dialog>
  );
}
