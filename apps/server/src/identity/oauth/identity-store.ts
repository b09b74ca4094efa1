import { newId } from '@gptj-cloud/protocol';
import { and, asc, eq } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { identities, users } from '../identity-tables.ts';
import type { User } from '../users/user.ts';

/** A provider's account that signs its owner in here. */
export type Identity = Readonly<typeof identities.$inferSelect>;
export type NewIdentity = Omit<Identity, 'id' | 'createdAt' | 'lastUsedAt'>;

/** Link an identity to a user. Returns false when it is already linked, to this or another user. */
export async function insertIdentity(tx: Database, identity: NewIdentity, now: Date): Promise<boolean> {
  const rows = await tx
    .insert(identities)
    .values({ ...identity, id: newId('identity'), createdAt: now })
    .onConflictDoNothing()
    .returning({ id: identities.id });
  return rows.length > 0;
}

/** The user that an identity is linked to, or null. */
export async function findUserByIdentity(db: Database, issuer: string, subject: string): Promise<User | null> {
  const rows = await db
    .select({ user: users })
    .from(identities)
    .innerJoin(users, eq(users.id, identities.userId))
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)));
  return rows[0]?.user ?? null;
}

export async function recordIdentityUse(tx: Database, issuer: string, subject: string, now: Date): Promise<void> {
  await tx
    .update(identities)
    .set({ lastUsedAt: now })
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)));
}

/** The identities of a user, oldest first. */
export async function listIdentities(db: Database, userId: string): Promise<readonly Identity[]> {
  return await db
    .select()
    .from(identities)
    .where(eq(identities.userId, userId))
    .orderBy(asc(identities.createdAt), asc(identities.id));
}

export async function deleteIdentity(tx: Database, id: string): Promise<void> {
  await tx.delete(identities).where(eq(identities.id, id));
}

/** Unlink all identities of a user. Returns how many there were. */
export async function deleteIdentities(tx: Database, userId: string): Promise<number> {
  const deleted = await tx.delete(identities).where(eq(identities.userId, userId)).returning({ id: identities.id });
  return deleted.length;
}
