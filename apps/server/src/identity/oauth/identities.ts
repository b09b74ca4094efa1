import { ApiError, type IdentityGet, toTimestamp } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { MailDeps, OAuthDeps, StoreDeps } from '../account-deps.ts';
import { notify } from '../notices.ts';
import { deleteLinks } from '../users/account-link-store.ts';
import { lockUser } from '../users/user-store.ts';
import { deleteIdentity, type Identity, listIdentities } from './identity-store.ts';

/** The identities linked to the user, the oldest first. */
export async function getIdentities({ db }: StoreDeps, userId: string): Promise<{ readonly data: IdentityGet[] }> {
  return { data: (await listIdentities(db, userId)).map(toIdentityGet) };
}

/**
 * Remove a social identity of the user. Throws `not_found`, and `conflict` for the only way to sign in: without a
 * password, one identity of a configured provider must remain.
 */
export async function unlinkIdentity(
  deps: MailDeps & Pick<OAuthDeps, 'providers'>,
  userId: string,
  id: string,
  caller: Caller,
): Promise<void> {
  const { db, clock, providers } = deps;
  const issuers = new Set([...providers.values()].map(({ issuer }) => issuer));
  const { user, identity } = await db.transaction(async (tx) => {
    // When the last two are removed at once, one stays.
    const user = await lockUser(tx, userId);
    const linked = await listIdentities(tx, userId);
    const identity = linked.find((each) => each.id === id);
    if (identity === undefined) throw new ApiError('not_found', { kind: 'identity', id: id.slice(0, 100) });
    const others = linked.filter((each) => each.id !== id && issuers.has(each.issuer));
    if (user.passwordHash === null && others.length === 0) {
      throw new ApiError('conflict', {
        reason: 'this is the only way to sign in to the account',
        remedy: 'set a password first, by the link that POST /v2/auth/forgot-password sends',
      });
    }
    await deleteIdentity(tx, id);
    await deleteLinks(tx, ['oauth_code'], userId);
    const details = { provider: identity.provider };
    await recordAudit(tx, clock(), caller, { action: 'user.identity_unlink', subject: userId, details });
    return { user, identity };
  });
  notify(deps, user, 'identity_unlinked', { provider: identity.provider });
}

function toIdentityGet(identity: Identity): IdentityGet {
  return {
    id: identity.id,
    provider: identity.provider,
    name: identity.name,
    created_at: toTimestamp(identity.createdAt),
    last_used: identity.lastUsedAt === null ? null : toTimestamp(identity.lastUsedAt),
  };
}
