import { type SessionEntry, toTimestamp } from '@gptj-cloud/protocol';
import type { StoreDeps } from '../account-deps.ts';
import { listSessions } from './session-store.ts';
import type { SignedIn } from './sign-in.ts';

/** The sessions of the user; `current` marks the one of the request. */
export async function getSessions(
  { db, clock }: StoreDeps,
  { session: current, user }: SignedIn,
): Promise<{ readonly data: SessionEntry[] }> {
  const sessions = await listSessions(db, user.id, clock());
  return {
    data: sessions.map((session) => ({
      id: session.id,
      created_at: toTimestamp(session.createdAt),
      last_seen: toTimestamp(session.lastSeenAt),
      expires_at: toTimestamp(session.expiresAt),
      address: session.address,
      user_agent: session.userAgent,
      current: session.id === current.id,
    })),
  };
}
