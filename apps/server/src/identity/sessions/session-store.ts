import { newId } from '@gptj-cloud/protocol';
import { and, asc, desc, eq, gt, inArray, lte, ne, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Database } from '../../store/db.ts';
import { projectMembers, projects, sessions, users } from '../identity-tables.ts';
import { hashSecret, randomSecret } from '../secret.ts';
import type { User } from '../users/user.ts';
import { lockUser } from '../users/user-store.ts';
import { SESSION_IDLE_MS, SESSION_LIFETIME_MS, type Session } from './session.ts';

const MAX_SESSIONS = 50;
const SECRET_BYTES = 32;
/** Precision of `last_seen_at`: a write for every request would cost too much. */
const SEEN_EVERY_MS = 60_000;

export interface NewSession {
  readonly userId: string;
  readonly address: string;
  readonly userAgent: string;
}

/** Begin a session, and end the user's oldest ones beyond the limit. Returns the session and the value of its cookie. */
export async function insertSession(
  tx: Database,
  { userId, address, userAgent }: NewSession,
  now: Date,
): Promise<{ readonly secret: string; readonly session: Session }> {
  await lockUser(tx, userId);
  await tx.delete(sessions).where(lte(sessions.expiresAt, now));
  const surplus = tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(eq(sessions.userId, userId))
    .orderBy(desc(sessions.createdAt))
    .offset(MAX_SESSIONS - 1);
  await tx.delete(sessions).where(inArray(sessions.id, surplus));
  const secret = randomSecret(SECRET_BYTES);
  const session = {
    id: newId('session'),
    userId,
    createdAt: now,
    lastSeenAt: now,
    expiresAt: new Date(now.getTime() + SESSION_LIFETIME_MS),
    confirmedAt: now,
    address,
    userAgent: userAgent.slice(0, 200),
  };
  await tx.insert(sessions).values({ ...session, hash: hashSecret(secret) });
  return { secret, session };
}

/** The session that a cookie's value belongs to, with its user, or null when it has ended. Updates `last_seen_at`. */
export async function findSession(
  db: Database,
  secret: string,
  now: Date,
): Promise<{ readonly session: Session; readonly user: User } | null> {
  const idleSince = new Date(now.getTime() - SESSION_IDLE_MS);
  const rows = await db
    .select({ session: sessions, user: users })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.hash, hashSecret(secret)), gt(sessions.expiresAt, now), gt(sessions.lastSeenAt, idleSince)));
  const row = rows[0];
  if (row === undefined) return null;
  if (now.getTime() - row.session.lastSeenAt.getTime() >= SEEN_EVERY_MS) {
    await db.update(sessions).set({ lastSeenAt: now }).where(eq(sessions.id, row.session.id));
  }
  const { hash: _, ...session } = row.session;
  return { session, user: row.user };
}

/** The user of a session that has not ended, or null. */
export async function findSessionUser(db: Database, id: string, now: Date): Promise<User | null> {
  const rows = await db
    .select({ user: users })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.id, id), gt(sessions.expiresAt, now)));
  return rows[0]?.user ?? null;
}

/** The project with `projectId`, or the user's first one, with the plan of its owner. Null unless the user is a member. */
export async function findProjectOfUser(
  db: Database,
  userId: string,
  projectId: string | null,
): Promise<{ readonly projectId: string; readonly planId: string } | null> {
  const payer = alias(users, 'payer');
  const rows = await db
    .select({ projectId: projectMembers.projectId, planId: payer.planId })
    .from(projectMembers)
    .innerJoin(projects, eq(projects.id, projectMembers.projectId))
    .innerJoin(payer, eq(payer.id, projects.ownerId))
    .where(
      and(eq(projectMembers.userId, userId), projectId === null ? undefined : eq(projectMembers.projectId, projectId)),
    )
    // Projects that the user owns come before those of others.
    .orderBy(sql`${projects.ownerId} <> ${userId}`, asc(projectMembers.addedAt), asc(projectMembers.projectId))
    .limit(1);
  return rows[0] ?? null;
}

export async function listSessions(db: Database, userId: string, now: Date): Promise<readonly Session[]> {
  return await db
    .select()
    .from(sessions)
    .where(and(eq(sessions.userId, userId), gt(sessions.expiresAt, now)))
    .orderBy(desc(sessions.lastSeenAt), desc(sessions.id));
}

/** End one session of a user. Returns whether there was one. */
export async function deleteSession(tx: Database, userId: string, id: string): Promise<boolean> {
  const deleted = await tx
    .delete(sessions)
    .where(and(eq(sessions.userId, userId), eq(sessions.id, id)))
    .returning({ id: sessions.id });
  return deleted.length > 0;
}

/** End all sessions of a user except the one with the id `kept`. Returns how many ended. */
export async function deleteSessions(tx: Database, userId: string, kept: string | null): Promise<number> {
  const deleted = await tx
    .delete(sessions)
    .where(and(eq(sessions.userId, userId), kept === null ? undefined : ne(sessions.id, kept)))
    .returning({ id: sessions.id });
  return deleted.length;
}

/** Record that the user of a session has just proved to be there in person. */
export async function confirmSession(tx: Database, id: string, now: Date): Promise<void> {
  await tx.update(sessions).set({ confirmedAt: now }).where(eq(sessions.id, id));
}
