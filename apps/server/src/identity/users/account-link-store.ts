import { createHash, randomBytes } from 'node:crypto';
import { ApiError } from '@gptj-cloud/protocol';
import { and, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { accountLinks } from '../identity-tables.ts';

export type LinkPurpose = 'set_up' | 'verify_email' | 'reset_password' | 'change_email' | 'oauth_code';

const HOUR_MS = 3_600_000;
const LIFETIME_MS: Readonly<Record<LinkPurpose, number>> = {
  set_up: 24 * HOUR_MS,
  verify_email: 48 * HOUR_MS,
  reset_password: HOUR_MS,
  change_email: 24 * HOUR_MS,
  // A second factor is typed at once, or not at all.
  oauth_code: HOUR_MS / 6,
};

/** Make the secret of a link, good for one use until it expires. The user's earlier ones for the same purpose end. */
export async function createLink(
  tx: Database,
  purpose: LinkPurpose,
  user: { readonly id: string; readonly email: string },
  now: Date,
): Promise<string> {
  await tx.delete(accountLinks).where(and(eq(accountLinks.userId, user.id), eq(accountLinks.purpose, purpose)));
  await tx.delete(accountLinks).where(lte(accountLinks.expiresAt, now));
  const token = randomBytes(24).toString('base64url');
  await tx.insert(accountLinks).values({
    hash: hashOf(token),
    purpose,
    userId: user.id,
    email: user.email,
    createdAt: now,
    expiresAt: new Date(now.getTime() + LIFETIME_MS[purpose]),
  });
  return token;
}

/** Whether such a link is still out. */
export async function hasLink(db: Database, purpose: LinkPurpose, userId: string, now: Date): Promise<boolean> {
  const rows = await db
    .select({ hash: accountLinks.hash })
    .from(accountLinks)
    .where(and(eq(accountLinks.userId, userId), eq(accountLinks.purpose, purpose), gt(accountLinks.expiresAt, now)));
  return rows.length > 0;
}

/** Whose link it is, without using it up. Throws `link_invalid`. */
export async function findLink(db: Database, purpose: LinkPurpose, token: string, now: Date): Promise<string> {
  const rows = await db
    .select({ userId: accountLinks.userId })
    .from(accountLinks)
    .where(
      and(eq(accountLinks.hash, hashOf(token)), eq(accountLinks.purpose, purpose), gt(accountLinks.expiresAt, now)),
    );
  const link = rows[0];
  if (link === undefined) throw new ApiError('link_invalid');
  return link.userId;
}

/** Use a link up; of two that try at once one succeeds. Throws `link_invalid`. */
export async function useLink(
  tx: Database,
  purpose: LinkPurpose,
  token: string,
  now: Date,
): Promise<{ readonly userId: string; readonly email: string }> {
  const rows = await tx
    .delete(accountLinks)
    .where(
      and(eq(accountLinks.hash, hashOf(token)), eq(accountLinks.purpose, purpose), gt(accountLinks.expiresAt, now)),
    )
    .returning({ userId: accountLinks.userId, email: accountLinks.email });
  const link = rows[0];
  if (link === undefined) throw new ApiError('link_invalid');
  return link;
}

export async function deleteLinks(tx: Database, purposes: readonly LinkPurpose[], userId: string): Promise<void> {
  await tx.delete(accountLinks).where(and(eq(accountLinks.userId, userId), inArray(accountLinks.purpose, purposes)));
}

function hashOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}
