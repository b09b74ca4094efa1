/** Registrations that wait for the confirmation of their address. No account exists before it. */
import { and, eq, gt, lte } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { pendingRegistrations } from '../identity-tables.ts';
import { hashSecret, randomSecret } from '../secret.ts';

export interface PendingRegistration {
  readonly email: string;
  readonly username: string;
  readonly passwordHash: string;
}

const LIFETIME_MS = 48 * 3_600_000;
/** Links of one address that are valid together. The owner of the address has them all; further ones are not sent. */
const MAX_FOR_ADDRESS = 5;

/** Store a registration. Returns the secret of its link, or null when the address has enough valid ones. */
export async function insertPendingRegistration(
  tx: Database,
  pending: PendingRegistration,
  now: Date,
): Promise<string | null> {
  await tx.delete(pendingRegistrations).where(lte(pendingRegistrations.expiresAt, now));
  if ((await tx.$count(pendingRegistrations, eq(pendingRegistrations.email, pending.email))) >= MAX_FOR_ADDRESS)
    return null;
  const token = randomSecret(24);
  await tx.insert(pendingRegistrations).values({
    ...pending,
    hash: hashSecret(token),
    createdAt: now,
    expiresAt: new Date(now.getTime() + LIFETIME_MS),
  });
  return token;
}

/** The registration of a link, which stays usable; or null. */
export async function findPendingRegistration(
  db: Database,
  token: string,
  now: Date,
): Promise<PendingRegistration | null> {
  const rows = await db
    .select({
      email: pendingRegistrations.email,
      username: pendingRegistrations.username,
      passwordHash: pendingRegistrations.passwordHash,
    })
    .from(pendingRegistrations)
    .where(and(eq(pendingRegistrations.hash, hashSecret(token)), gt(pendingRegistrations.expiresAt, now)));
  return rows[0] ?? null;
}

/** Delete every registration of an address. Returns whether there was one: of concurrent requests, one gets `true`. */
export async function deletePendingRegistrations(tx: Database, email: string): Promise<boolean> {
  const deleted = await tx
    .delete(pendingRegistrations)
    .where(eq(pendingRegistrations.email, email))
    .returning({ hash: pendingRegistrations.hash });
  return deleted.length > 0;
}
