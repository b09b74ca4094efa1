/**
 * Sign-ins that were sent to a provider and have not come back. Each has a state, which travels through the browser and
 * the provider, and belongs to the browser that began it, by a cookie. Only hashes of both are kept, and nonce and PKCE
 * verifier follow from both together: who reads the store, or sees only one of the two, has nothing.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { ApiError } from '@gptj-cloud/protocol';
import { and, eq, gt, lte } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { oauthFlows } from '../identity-tables.ts';
import type { OAuthFlow } from './oauth-provider.ts';

/** How long signing in elsewhere may take. */
export const FLOW_LIFETIME_MS = 600_000;

export interface NewFlow {
  readonly provider: string;
  /** What the cookie holds. */
  readonly browser: string;
  /** The session that wants to link an identity; null: somebody signs in. */
  readonly sessionId: string | null;
  readonly redirectUri: string;
}

/** What a browser is known by until it comes back: 256 random bits. */
export function newBrowserSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function isBrowserSecret(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

export async function insertFlow(tx: Database, flow: NewFlow, now: Date): Promise<OAuthFlow> {
  await tx.delete(oauthFlows).where(lte(oauthFlows.expiresAt, now));
  const state = randomBytes(32).toString('base64url');
  await tx.insert(oauthFlows).values({
    stateHash: hashOf(state),
    browserHash: hashOf(flow.browser),
    provider: flow.provider,
    sessionId: flow.sessionId,
    expiresAt: new Date(now.getTime() + FLOW_LIFETIME_MS),
  });
  return toFlow(flow, state);
}

/**
 * Use a flow up; of two that come back at once one gets it. Throws `oauth_state_invalid` alike for another browser, for
 * another provider, for one that has come back before and for none at all.
 */
export async function takeFlow(
  db: Database,
  back: Omit<NewFlow, 'sessionId'> & { readonly state: string },
  now: Date,
): Promise<OAuthFlow & { readonly sessionId: string | null }> {
  const rows = await db
    .delete(oauthFlows)
    .where(
      and(
        eq(oauthFlows.stateHash, hashOf(back.state)),
        eq(oauthFlows.browserHash, hashOf(back.browser)),
        eq(oauthFlows.provider, back.provider),
        gt(oauthFlows.expiresAt, now),
      ),
    )
    .returning({ sessionId: oauthFlows.sessionId });
  const row = rows[0];
  if (row === undefined) throw new ApiError('oauth_state_invalid');
  return { ...toFlow(back, back.state), sessionId: row.sessionId };
}

function toFlow({ browser, redirectUri }: Pick<NewFlow, 'browser' | 'redirectUri'>, state: string): OAuthFlow {
  const derive = (what: string): string => createHmac('sha256', browser).update(`${what}:${state}`).digest('base64url');
  return { redirectUri, state, nonce: derive('nonce'), codeVerifier: derive('verifier') };
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}
