import { ApiError } from '@gptj-cloud/protocol';
import { and, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { accountLinks } from '../identity-tables.ts';
import { hashSecret, randomSecret } from '../secret.ts';
import { lockUser } from './user-store.ts';

export type LinkPurpose = 'set_up' | 'verify_email' | 'reset_password' | 'change_email' | 'oauth_code';

/** Whose link it is, and the address that it is sent to. */
interface LinkUser {
  readonly id: string;
  readonly email: string;
}

const SECRET_BYTES = 24;
const HOUR_MS = 3_600_000;
const LIFETIME_MS: Readonly<Record<LinkPurpose, number>> = {
  set_up: 24 * HOUR_MS,
  verify_email: 48 * HOUR_MS,
  reset_password: HOUR_MS,
  change_email: 24 * HOUR_MS,
  // It only bridges the time to type the second factor.
  oauth_code: HOUR_MS / 6,
};

/** Links of one purpose that a user may have at the same time, where earlier ones stay valid. */
const MAX_LINKS = 5;

/** Create the secret of a single-use link. The user's earlier links for the same purpose end. */
export async function createLink(tx: Database, purpose: LinkPurpose, user: LinkUser, now: Date): Promise<string> {
  await lockUser(tx, user.id);
  await deleteLinks(tx, [purpose], user.id);
  return await insertLink(tx, purpose, user, now);
}

/**
 * As {@link createLink}, but earlier links stay valid until they expire. Returns null when the user has enough of them: the
 * mailbox then holds as many usable ones.
 */
export async function addLink(tx: Database, purpose: LinkPurpose, user: LinkUser, now: Date): Promise<string | null> {
  await lockUser(tx, user.id);
  const valid = await tx.$count(accountLinks, validLinks(purpose, user.id, now));
  return valid >= MAX_LINKS ? null : await insertLink(tx, purpose, user, now);
}

async function insertLink(tx: Database, purpose: LinkPurpose, user: LinkUser, now: Date): Promise<string> {
  await tx.delete(accountLinks).where(lte(accountLinks.expiresAt, now));
  const token = randomSecret(SECRET_BYTES);
  await tx.insert(accountLinks).values({
    hash: hashSecret(token),
    purpose,
    userId: user.id,
    email: user.email,
    createdAt: now,
    expiresAt: new Date(now.getTime() + LIFETIME_MS[purpose]),
  });
  return token;
}

function validLinks(purpose: LinkPurpose, userId: string, now: Date) {
  return and(eq(accountLinks.userId, userId), eq(accountLinks.purpose, purpose), gt(accountLinks.expiresAt, now));
}

/** Whether a user has an unused, unexpired link for a purpose. */
export async function hasLink(db: Database, purpose: LinkPurpose, userId: string, now: Date): Promise<boolean> {
  const rows = await db
    .select({ hash: accountLinks.hash })
    .from(accountLinks)
    .where(validLinks(purpose, userId, now));
  return rows.length > 0;
}

/** The id of the user that a link belongs to; the link stays usable. Throws `link_invalid`. */
export async function findLink(db: Database, purpose: LinkPurpose, token: string, now: Date): Promise<string> {
  const rows = await db
    .select({ userId: accountLinks.userId })
    .from(accountLinks)
    .where(
      and(eq(accountLinks.hash, hashSecret(token)), eq(accountLinks.purpose, purpose), gt(accountLinks.expiresAt, now)),
    );
  const link = rows[0];
  if (link === undefined) throw new ApiError('link_invalid');
  return link.userId;
}

/** Consume a link. Of two concurrent requests with the same link, one succeeds. Throws `link_invalid`. */
export async function useLink(
  tx: Database,
  purpose: LinkPurpose,
  token: string,
  now: Date,
): Promise<{ readonly userId: string; readonly email: string }> {
  const rows = await tx
    .delete(accountLinks)
    .where(
      and(eq(accountLinks.hash, hashSecret(token)), eq(accountLinks.purpose, purpose), gt(accountLinks.expiresAt, now)),
    )
    .returning({ userId: accountLinks.userId, email: accountLinks.email });
  const link = rows[0];
  if (link === undefined) throw new ApiError('link_invalid');
  return link;
}

export async function deleteLinks(tx: Database, purposes: readonly LinkPurpose[], userId: string): Promise<void> {
  await tx.delete(accountLinks).where(and(eq(accountLinks.userId, userId), inArray(accountLinks.purpose, purposes)));
}

/** End all links of a user, whatever their purpose. */
export async function deleteAllLinks(tx: Database, userId: string): Promise<void> {
  await tx.delete(accountLinks).where(eq(accountLinks.userId, userId));
}
