import { ApiError, newId, type PageQuery } from '@gptj-cloud/protocol';
import { asc, count, desc, eq, or, sql } from 'drizzle-orm';
import { projectMembers, projects, users } from '../store/accounts-tables.ts';
import type { Database } from '../store/db.ts';
import type { User } from './user.ts';

export interface NewUser {
  readonly email: string;
  readonly username: string;
  readonly passwordHash: string;
}

/** Add a member of the server with a first project of its own. Throws `already_exists`. */
export async function insertUser(tx: Database, user: NewUser, now: Date): Promise<User> {
  await refuseTaken(tx, user);
  const inserted = await tx
    .insert(users)
    .values({ ...user, id: newId('user'), role: 'member', planId: 'free', createdAt: now, updatedAt: now })
    .onConflictDoNothing()
    .returning();
  const made = inserted[0];
  // Somebody else was quicker between the look and the insert.
  if (made === undefined) throw new ApiError('already_exists', { what: 'that username or e-mail address' });
  await insertProject(tx, made.id, 'default', now);
  return made;
}

/** Add a project that a user owns. */
export async function insertProject(tx: Database, ownerId: string, name: string, now: Date): Promise<string> {
  const id = newId('project');
  await tx.insert(projects).values({ id, name, ownerId, createdAt: now, updatedAt: now });
  await tx.insert(projectMembers).values({ projectId: id, userId: ownerId, role: 'owner', addedAt: now });
  return id;
}

/** Throws `already_exists` when somebody other than `self` has the username or address. */
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

/** By e-mail address or username, in any case of letters. Usernames hold no @, so no login names two. */
export async function findUserByLogin(db: Database, login: string): Promise<User | null> {
  const lower = login.trim().toLowerCase();
  const rows = await db
    .select()
    .from(users)
    .where(or(eq(users.email, lower), eq(sql`lower(${users.username})`, lower)));
  return rows[0] ?? null;
}

/** Let no other transaction that asks for the same go on before this one ends. */
export async function lockUser(tx: Database, id: string): Promise<void> {
  await tx.select({ id: users.id }).from(users).where(eq(users.id, id)).for('no key update');
}

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
    .returning();
  const user = rows[0];
  if (user === undefined) throw new ApiError('not_found', { kind: 'user', id });
  return user;
}

export async function listUsers(
  db: Database,
  page: PageQuery<'created_at'>,
): Promise<{ readonly total: number; readonly users: readonly User[] }> {
  const order = page.orderBy.direction === 'asc' ? asc : desc;
  const totals = await db.select({ total: count() }).from(users);
  const rows = await db
    .select()
    .from(users)
    .orderBy(order(users.createdAt), order(users.id))
    .offset(page.skip)
    .limit(page.limit);
  return { total: totals[0]?.total ?? 0, users: rows };
}
