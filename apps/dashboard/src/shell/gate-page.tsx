import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { cloud } from '../api/cloud.ts';
import { setGate } from '../api/gate.ts';
import { serverQuery } from '../api/server.ts';
import { sessionQuery, useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { PageHead } from '../ui/page-head.tsx';

/** In place of the page: why the account cannot be used now, and what to do. */
export function GatePage({ gate }: { readonly gate: 'unverified' | 'disabled' }) {
  return (
    <div className="ui-page">
      {gate === 'disabled' ? (
        <>
          <PageHead title="This account is disabled" />
          <p>Ask an owner of the server to enable it again.</p>
        </>
      ) : (
        <Unverified />
      )}
    </div>
  );
}

/** How often the page asks whether the link was opened, perhaps on another device. */
const POLL_MS = 3_000;

function Unverified() {
  const { user } = useSession();
  const queries = useQueryClient();
  const { data: server } = useQuery(serverQuery);
  const { data: session } = useQuery({ ...sessionQuery, refetchInterval: POLL_MS });
  const isVerified = session?.user.verified ?? false;
  const again = useMutation({ mutationFn: () => cloud().auth.sendVerification() });
  useEffect(() => {
    if (!isVerified) return;
    setGate('open');
    queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' }).catch(() => undefined);
  }, [isVerified, queries]);
  return (
    <>
      <PageHead title="Confirm your e-mail address" />
      <section className="ui-panel ui-stack">
        <p>
          A link was made for <strong>{user.email}</strong>. Open it, and this page goes on by itself.
        </p>
        <p className="ui-muted">
          {server?.mail === false
            ? 'This server sends no mail: ask its operator for the link, which is in the server’s log.'
            : 'It comes by mail. Look into the folder for spam as well.'}
        </p>
        {again.isSuccess && <p role="status">Another link is on its way; the former one does not work any more.</p>}
        {again.error !== null && <ErrorPanel error={again.error} onRetry={() => again.mutate()} />}
        <div className="ui-actions">
          <Button icon="mail" isPending={again.isPending} onPress={() => again.mutate()}>
            Send the link again
          </Button>
        </div>
      </section>
    </>
  );
}
