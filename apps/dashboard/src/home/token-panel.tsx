import type { ApiToken } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { MaskedSecret, Secret } from '../ui/secret.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { setKnownToken, useKnownToken } from './known-token.ts';

const MAX_TOKENS = 100;
/** The name that the server gives to the token of its settings. */
const OPERATORS_NAME = 'GPTJ_API_TOKEN';

/** The API token: whole after it was made, masked later. */
export function TokenPanel() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const known = useKnownToken();
  const isNewAccount = useRouterState({ select: ({ location }) => location.state.isNewAccount ?? false });
  const [rotating, setRotating] = useState<ApiToken | null>(null);
  const tokens = useQuery({
    queryKey: keys.tokens,
    queryFn: async ({ signal }) => (await cloud().tokens.list({ signal, limit: MAX_TOKENS })).items,
  });
  const create = useMutation({
    mutationFn: () => confirmed(() => cloud().tokens.create({ name: 'first token' })),
    onSuccess: async (token) => {
      setKnownToken(token);
      await queries.invalidateQueries({ queryKey: keys.tokens });
    },
  });
  const { mutate } = create;
  const hasBegun = useRef(false);
  useEffect(() => {
    // A new account gets its token without a press: it is the reason to come here.
    if (!isNewAccount || hasBegun.current) return;
    hasBegun.current = true;
    // The state of the address survives a reload, which must not make another token.
    void navigate({ to: '.', state: {}, replace: true });
    mutate();
  }, [isNewAccount, mutate, navigate]);
  return (
    <section className="ui-panel" aria-labelledby="home-token">
      <div className="ui-panel-head">
        <h2 id="home-token">Your API token</h2>
        <ButtonLink to="/tokens" look="quiet" size="small" icon="key">
          All tokens
        </ButtonLink>
      </div>
      {create.error !== null && <ErrorPanel error={create.error} onRetry={() => mutate()} />}
      {known !== null ? (
        <Secret
          label="API token"
          value={known.value}
          note="Shown now, never again: the server keeps only its hash. Copy it to where your programs read it."
        >
          <Button size="small" look="primary" onPress={() => setKnownToken(null)}>
            I have it
          </Button>
        </Secret>
      ) : create.isPending ? (
        <WaitingToken />
      ) : (
        <QueryView query={tokens} skeleton={<WaitingToken />}>
          {(items) => {
            const token = shownToken(items);
            return token === null ? (
              <EmptyState
                text="A token lets a program act in this project."
                action={
                  <Button look="primary" icon="key" onPress={() => mutate()}>
                    Make your first token
                  </Button>
                }
              />
            ) : (
              <MaskedToken token={token} onRotate={() => setRotating(token)} onMake={() => mutate()} />
            );
          }}
        </QueryView>
      )}
      {rotating !== null && (
        <Confirm
          title={`Rotate ${rotating.name}?`}
          action="Rotate"
          isOpen
          onClose={() => setRotating(null)}
          onConfirm={async () => {
            setKnownToken(await confirmed(() => cloud().tokens.rotate(rotating.id)));
            await queries.invalidateQueries({ queryKey: keys.tokens });
          }}
        >
          The token gets another value, which is shown once. The present one is refused at once; programs that use it
          stop. The page of all tokens can keep it valid for a while.
        </Confirm>
      )}
    </section>
  );
}

function WaitingToken() {
  return (
    <div className="home-token">
      <Skeleton rows={1} />
    </div>
  );
}

function MaskedToken({
  token,
  onRotate,
  onMake,
}: {
  readonly token: ApiToken;
  readonly onRotate: () => void;
  readonly onMake: () => void;
}) {
  const isOperators = token.name === OPERATORS_NAME;
  return (
    <div className="home-token">
      <div className="home-token-value">
        <MaskedSecret value={token.value} />
        <span className="ui-muted">
          {isOperators ? 'set by the operator' : token.name} ·{' '}
          {token.lastUsed === null ? (
            'not used yet'
          ) : (
            <>
              used <RelativeTime at={token.lastUsed} />
            </>
          )}
        </span>
      </div>
      {isOperators ? (
        <Button size="small" icon="plus" onPress={onMake}>
          Make your own
        </Button>
      ) : (
        <Button size="small" icon="refresh" onPress={onRotate}>
          Rotate
        </Button>
      )}
    </div>
  );
}

/** The latest used token that works, not that of the operator's settings where there is another. */
function shownToken(tokens: readonly ApiToken[]): ApiToken | null {
  const weight = ({ name, lastUsed, createdAt }: ApiToken): number =>
    (name === OPERATORS_NAME ? 0 : 1e15) + (lastUsed ?? createdAt).getTime();
  const active = tokens.filter(({ isActive }) => isActive);
  return [...active].sort((a, b) => weight(b) - weight(a))[0] ?? null;
}
