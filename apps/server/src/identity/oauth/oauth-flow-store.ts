/**
 * Pending sign-ins at providers. Each has a state, which travels through the browser and the provider, and belongs to the
 * browser that began it, by a cookie. The store keeps only hashes of both; nonce and PKCE verifier are derived from both
 * together, so neither the store's content nor one of the two is enough to complete a flow.
 */
import { createHmac } from 'node:crypto';
import { ApiError } from '@gptj-cloud/protocol';
import { and, eq, gt, lte } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { oauthFlows } from '../identity-tables.ts';
import { hashSecret, randomSecret } from '../secret.ts';
import type { OAuthFlow } from './oauth-provider.ts';

/** Time to sign in at the provider. */
export const FLOW_LIFETIME_MS = 600_000;

export interface NewFlow {
  readonly provider: string;
  /** Value of the browser's cookie. */
  readonly browser: string;
  /** The session that links an identity; null: the flow signs in. */
  readonly sessionId: string | null;
  readonly redirectUri: string;
}

/** The value that identifies a browser until it returns: 256 random bits. */
export function newBrowserSecret(): string {
  return randomSecret(32);
}

export function isBrowserSecret(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

export async function insertFlow(tx: Database, flow: NewFlow, now: Date): Promise<OAuthFlow> {
  await tx.delete(oauthFlows).where(lte(oauthFlows.expiresAt, now));
  const state = randomSecret(32);
  await tx.insert(oauthFlows).values({
    stateHash: hashSecret(state),
    browserHash: hashSecret(flow.browser),
    provider: flow.provider,
    sessionId: flow.sessionId,
    expiresAt: new Date(now.getTime() + FLOW_LIFETIME_MS),
  });
  return toFlow(flow, state);
}

/**
 * Consume a flow. Of two concurrent callbacks of one flow, one succeeds. Throws the same `oauth_state_invalid` for another browser,
 * another provider, a used flow and an unknown one.
 */
export async function consumeFlow(
  db: Database,
  returned: Omit<NewFlow, 'sessionId'> & { readonly state: string },
  now: Date,
): Promise<OAuthFlow & { readonly sessionId: string | null }> {
  const rows = await db
    .delete(oauthFlows)
    .where(
      and(
        eq(oauthFlows.stateHash, hashSecret(returned.state)),
        eq(oauthFlows.browserHash, hashSecret(returned.browser)),
        eq(oauthFlows.provider, returned.provider),
        gt(oauthFlows.expiresAt, now),
      ),
    )
    .returning({ sessionId: oauthFlows.sessionId });
  const row = rows[0];
  if (row === undefined) throw new ApiError('oauth_state_invalid');
  return { ...toFlow(returned, returned.state), sessionId: row.sessionId };
}

function toFlow({ browser, redirectUri }: Pick<NewFlow, 'browser' | 'redirectUri'>, state: string): OAuthFlow {
  const derive = (purpose: string): string =>
    createHmac('sha256', browser).update(`${purpose}:${state}`).digest('base64url');
  return { redirectUri, state, nonce: derive('nonce'), codeVerifier: derive('verifier') };
}
