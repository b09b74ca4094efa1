import { randomBytes } from 'node:crypto';
import { ApiError, newId, type PageQuery } from '@gptj-cloud/protocol';
import { and, asc, eq, ilike, inArray, isNotNull, isNull, max, or, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../store/db.ts';
import { findPage, type Page } from '../../store/page.ts';
import { returnedRows } from '../../store/returned-rows.ts';
import { apiKeys, projectMembers, projects, sessions, users } from '../identity-tables.ts';
import { canonicalLogin } from '../sessions/login-name.ts';
import type { User } from './user.ts';

export interface NewUser {
  readonly email: string;
  readonly username: string;
  /** Null: the user signs in through a provider. */
  readonly passwordHash: string | null;
  readonly planId: string;
  /** When the user proved to own the address; null: not yet. */
  readonly verifiedAt: Date | null;
}

/** Add a member of the server and its first project. Throws `already_exists`. */
export async function insertUser(tx: Database, wanted: NewUser, now: Date): Promise<User> {
  await refuseTaken(tx, wanted);
  const inserted = await tx
    .insert(users)
    .values({ ...wanted, id: newId('user'), role: 'member', createdAt: now, updatedAt: now })
    .onConflictDoNothing()
    .returning();
  const user = inserted[0];
  // A parallel request inserted the same name or address after the check above.
  if (user === undefined) throw new ApiError('already_exists', { what: 'that username or e-mail address' });
  await insertProject(tx, user.id, 'default', now);
  return user;
}

/** Add a project that a user owns. */
export async function insertProject(tx: Database, ownerId: string, name: string, now: Date): Promise<string> {
  const id = newId('project');
  await tx.insert(projects).values({ id, name, ownerId, createdAt: now, updatedAt: now });
  await tx.insert(projectMembers).values({ projectId: id, userId: ownerId, role: 'owner', addedAt: now });
  return id;
}

/** Throws `already_exists` when a user other than `self` has the username or address. */
export async function refuseTaken(
  db: Database,
  wanted: { readonly email?: string; readonly username?: string },
  self?: string,
): Promise<void> {
  const byUsername = wanted.username === undefined ? null : await findUserByLogin(db, wanted.username);
  if (byUsername !== null && byUsername.id !== self) throw new ApiError('already_exists', { what: 'that username' });
  const byEmail = wanted.email === undefined ? null : await findUserByLogin(db, wanted.email);
  if (byEmail !== null && byEmail.id !== self) throw new ApiError('already_exists', { what: 'that e-mail address' });
}

export async function findUser(db: Database, id: string): Promise<User | null> {
  const rows = await db.select().from(users).where(eq(users.id, id));
  return rows[0] ?? null;
}

/** Find a user by e-mail address or username, ignoring case. Usernames contain no @, so a login matches one user. */
export async function findUserByLogin(db: Database, login: string): Promise<User | null> {
  const lower = canonicalLogin(login);
  const rows = await db
    .select()
    .from(users)
    .where(or(eq(users.email, lower), eq(sql`lower(${users.username})`, lower)));
  return rows[0] ?? null;
}

/**
 * Read a user and lock the row until the transaction ends. Every transaction that checks a limit or a state of a user
 * before it writes takes this lock first; `update` also blocks inserts that refer to the user. Lock order: users before
 * projects. Throws `not_found`.
 */
export async function lockUser(
  tx: Database,
  id: string,
  strength: 'no key update' | 'update' = 'no key update',
): Promise<User> {
  const user = await tryLockUser(tx, id, strength);
  if (user === null) throw new ApiError('not_found', { kind: 'user', id: id.slice(0, 100) });
  return user;
}

/** As {@link lockUser}, but returns null when there is no such user. */
export async function tryLockUser(
  tx: Database,
  id: string,
  strength: 'no key update' | 'update' = 'no key update',
): Promise<User | null> {
  const rows = await tx.select().from(users).where(eq(users.id, id)).for(strength);
  return rows[0] ?? null;
}

/**
 * Throw `conflict` when the user is the last enabled owner of the server. Locks all owners: when two step down at once,
 * the second waits here and then counts without the first.
 */
export async function refuseLastOwner(tx: Database, id: string): Promise<void> {
  const owners = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.role, 'owner'), isNull(users.disabledAt)))
    .orderBy(asc(users.id))
    .for('update');
  if (owners.length === 1 && owners[0]?.id === id) {
    throw new ApiError('conflict', {
      reason: 'the last owner cannot be removed',
      remedy: 'make another user an owner first',
    });
  }
}

/** A free username, as close as possible to the user's name at a provider. */
export async function freeUsername(db: Database, providerName: string): Promise<string> {
  const words = (providerName.split('@')[0] ?? '').split(/\W+/).filter((word) => word !== '');
  const short = words.join('-').slice(0, 15);
  const random = () => randomBytes(4).toString('hex');
  const candidate = short.length < 3 ? `user-${random()}` : short;
  return (await findUserByLogin(db, candidate)) === null ? candidate : `${candidate}-${random()}`;
}

/** Change a user. Throws `already_exists` for the username or address of another user, `not_found`. */
export async function updateUser(
  db: Database,
  id: string,
  change: Partial<Omit<typeof users.$inferInsert, 'id' | 'createdAt'>>,
  now: Date,
): Promise<User> {
  const rows = await db
    .update(users)
    .set({ ...change, updatedAt: now })
    .where(eq(users.id, id))
    .returning()
    .catch((error: unknown) => {
      // A parallel request took the name or address after the caller's check.
      if (isTaken(error)) throw new ApiError('already_exists', { what: 'that username or e-mail address' });
      throw error;
    });
  const user = rows[0];
  if (user === undefined) throw new ApiError('not_found', { kind: 'user', id });
  return user;
}

/** Delete a user with sessions, tokens, identities and memberships. The user's own projects must be deleted before. */
export async function deleteUser(tx: Database, id: string): Promise<void> {
  await tx.delete(users).where(eq(users.id, id));
}

/** Whether a statement broke a unique index (PostgreSQL's unique_violation). */
function isTaken(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === '23505';
}

/** Selects users. Absent fields select all. */
export interface UserFilter {
  /** Part of the address or a name, ignoring case. */
  readonly text?: string;
  readonly role?: User['role'];
  readonly planId?: string;
  readonly isDisabled?: boolean;
}

export async function listUsers(
  db: Database,
  page: PageQuery<'created_at'>,
  { text, role, planId, isDisabled }: UserFilter,
): Promise<Page<User>> {
  const load = async (ids: readonly string[]) =>
    await db
      .select()
      .from(users)
      .where(inArray(users.id, [...ids]));
  const pattern = `%${(text ?? '').replace(/[\\%_]/g, '\\$&')}%`;
  const where = and(
    text === undefined
      ? undefined
      : or(...[users.email, users.username, users.firstname, users.lastname].map((name) => ilike(name, pattern))),
    role === undefined ? undefined : eq(users.role, role),
    planId === undefined ? undefined : eq(users.planId, planId),
    isDisabled === undefined ? undefined : isDisabled ? isNotNull(users.disabledAt) : isNull(users.disabledAt),
  );
  return await findPage(db, { table: users, time: users.createdAt, id: users.id, where }, page, load, ({ id }) => id);
}

/** Counts of all users. */
export interface UserCounts {
  readonly total: number;
  readonly owners: number;
  readonly disabled: number;
  /** With a request in a session or by a token since `since`. */
  readonly activeToday: number;
}

export async function countAllUsers(db: Database, since: Date): Promise<UserCounts> {
  const at = sql`${since.toISOString()}::timestamptz`;
  const rows = await db.execute(sql`
    SELECT count(*) AS total, count(*) FILTER (WHERE role = 'owner') AS owners, count(disabled_at) AS disabled,
      count(*) FILTER (WHERE EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.last_seen_at >= ${at})
        OR EXISTS (SELECT 1 FROM api_keys k WHERE k.user_id = u.id AND k.last_used_at >= ${at})) AS "activeToday"
    FROM users u`);
  const [counts] = returnedRows(rows, userCountsSchema);
  if (counts === undefined) throw new TypeError('expected a row of counts, got none');
  return counts;
}

const userCountsSchema: z.ZodType<UserCounts> = z.object({
  total: z.coerce.number(),
  owners: z.coerce.number(),
  disabled: z.coerce.number(),
  activeToday: z.coerce.number(),
});

/** The last request of each of the users, in a session or by a token. */
export async function findLastSeen(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  if (ids.length === 0) return new Map();
  const bySession = await db
    .select({ userId: sessions.userId, at: max(sessions.lastSeenAt) })
    .from(sessions)
    .where(inArray(sessions.userId, [...ids]))
    .groupBy(sessions.userId);
  const byToken = await db
    .select({ userId: apiKeys.userId, at: max(apiKeys.lastUsedAt) })
    .from(apiKeys)
    .where(inArray(apiKeys.userId, [...ids]))
    .groupBy(apiKeys.userId);
  const seen = new Map<string, Date>();
  for (const { userId, at } of [...bySession, ...byToken]) {
    const before = seen.get(userId);
    if (at !== null && (before === undefined || at > before)) seen.set(userId, at);
  }
  return seen;
}
