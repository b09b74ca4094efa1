import type { Identity } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { Subject } from './account-frame.tsx';
import { ProofFields, useProof } from './proof.tsx';

const KEY = ['identities'];

/** Accounts of providers that sign in to this account; nothing on a server without providers. */
export function Identities() {
  const queries = useQueryClient();
  const [unlinked, setUnlinked] = useState<Identity | null>(null);
  const [linked, setLinked] = useState<string | null>(null);
  const { data: providers } = useQuery({
    queryKey: ['providers'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => cloud().auth.providers({ signal }),
  });
  const identities = useQuery({ queryKey: KEY, queryFn: ({ signal }) => cloud().auth.identities({ signal }) });
  if ((providers ?? []).length === 0 && (identities.data ?? []).length === 0) return null;
  return (
    <Subject title="Linked accounts" note="Accounts of other providers that sign in to this one.">
      <QueryView query={identities} skeleton={<Skeleton rows={1} height="2rem" />}>
        {(items) => (
          <>
            {items.map((identity) => (
              <div key={identity.id} className="ui-actions account-between">
                <span>
                  <strong>{identity.provider}</strong> {identity.name}{' '}
                  <span className="ui-muted">
                    last used <RelativeTime at={identity.lastUsed} />
                  </span>
                </span>
                <Button size="small" onPress={() => setUnlinked(identity)}>
                  Unlink
                </Button>
              </div>
            ))}
            <div className="ui-actions">
              {(providers ?? [])
                .filter((provider) => !items.some((identity) => identity.provider === provider))
                .map((provider) => (
                  <Button key={provider} size="small" icon="plus" onPress={() => setLinked(provider)}>
                    Link {provider}
                  </Button>
                ))}
            </div>
          </>
        )}
      </QueryView>
      {linked !== null && <LinkDialog provider={linked} onClose={() => setLinked(null)} />}
      {unlinked !== null && (
        <Confirm
          title={`Unlink ${unlinked.provider}`}
          action="Unlink"
          isOpen
          onClose={() => setUnlinked(null)}
          onConfirm={async () => {
            await confirmed(() => cloud().auth.unlinkIdentity(unlinked.id));
            await queries.invalidateQueries({ queryKey: KEY });
            toast(`${unlinked.provider} does not sign in to this account any more.`);
          }}
        >
          <p>{unlinked.name} does not sign in to this account any more. The last way to sign in stays.</p>
        </Confirm>
      )}
    </Subject>
  );
}

function LinkDialog({ provider, onClose }: { readonly provider: string; readonly onClose: () => void }) {
  const { proof, setProof, confirmation } = useProof();
  const form = useId();
  const link = useMutation({
    mutationFn: () => cloud().auth.linkIdentity(provider, confirmation),
    onSuccess: (address) => window.location.assign(address),
  });
  return (
    <Dialog
      title={`Link ${provider}`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={link.isPending}>
            Go on at {provider}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!link.isPending) link.mutate();
        }}
      >
        <ProofFields proof={proof} onChange={setProof} />
        {link.error !== null && <ErrorPanel error={link.error} />}
      </form>
    </Dialog>
  );
}
