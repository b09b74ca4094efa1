import { ApiError, type PageQuery } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq, gt, ne } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { apiKeys, projectInvitations, projectMembers, projects, users } from '../identity-tables.ts';

/** A project as one of its members sees it. */
export interface Project {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly role: 'owner' | 'member';
}

export interface Member {
  readonly userId: string;
  readonly username: string;
  readonly role: 'owner' | 'member';
  readonly addedAt: Date;
}

export interface Invitation {
  readonly id: string;
  readonly projectId: string;
  readonly projectName: string;
  readonly email: string;
  /** Username. */
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

const seen = {
  id: projects.id,
  name: projects.name,
  ownerId: projects.ownerId,
  createdAt: projects.createdAt,
  updatedAt: projects.updatedAt,
  role: projectMembers.role,
};

/** A project that the user is a member of, or null. */
export async function findProject(db: Database, userId: string, id: string): Promise<Project | null> {
  const rows = await db
    .select(seen)
    .from(projects)
    .innerJoin(projectMembers, eq(projectMembers.projectId, projects.id))
    .where(and(eq(projects.id, id), eq(projectMembers.userId, userId)));
  return rows[0] ?? null;
}

/** The user's projects, or of them the one with the id `only`. */
export async function listProjects(
  db: Database,
  userId: string,
  only: string | null,
  page: PageQuery<'created_at'>,
): Promise<{ readonly total: number; readonly projects: readonly Project[] }> {
  const wanted = and(eq(projectMembers.userId, userId), only === null ? undefined : eq(projects.id, only));
  const order = page.orderBy.direction === 'asc' ? asc : desc;
  const joined = eq(projectMembers.projectId, projects.id);
  const totals = await db.select({ total: count() }).from(projects).innerJoin(projectMembers, joined).where(wanted);
  const rows = await db
    .select(seen)
    .from(projects)
    .innerJoin(projectMembers, joined)
    .where(wanted)
    .orderBy(order(projects.createdAt), order(projects.id))
    .offset(page.skip)
    .limit(page.limit);
  return { total: totals[0]?.total ?? 0, projects: rows };
}

/** How many projects the user owns. */
export async function countOwnedProjects(db: Database, userId: string): Promise<number> {
  const totals = await db.select({ total: count() }).from(projects).where(eq(projects.ownerId, userId));
  return totals[0]?.total ?? 0;
}

export async function renameProject(tx: Database, id: string, name: string, now: Date): Promise<void> {
  await tx.update(projects).set({ name, updatedAt: now }).where(eq(projects.id, id));
}

/**
 * Lock a project until the transaction ends. Every transaction that checks a limit of a project before it writes takes
 * this lock first; `update` also blocks inserts that refer to the project. Throws `not_found`.
 */
export async function lockProject(
  tx: Database,
  id: string,
  strength: 'no key update' | 'update' = 'no key update',
): Promise<void> {
  const rows = await tx.select({ id: projects.id }).from(projects).where(eq(projects.id, id)).for(strength);
  if (rows.length === 0) throw new ApiError('not_found', { kind: 'project', id: id.slice(0, 100) });
}

/** What it holds goes with it. */
export async function deleteProject(tx: Database, id: string): Promise<void> {
  await tx.delete(projects).where(eq(projects.id, id));
}

/** Owners first, then by when they came. */
export async function listMembers(db: Database, projectId: string): Promise<readonly Member[]> {
  return await db
    .select({
      userId: projectMembers.userId,
      username: users.username,
      role: projectMembers.role,
      addedAt: projectMembers.addedAt,
    })
    .from(projectMembers)
    .innerJoin(users, eq(users.id, projectMembers.userId))
    .where(eq(projectMembers.projectId, projectId))
    // The owner first, also of members added in the same millisecond.
    .orderBy(asc(projectMembers.addedAt), desc(projectMembers.role), asc(projectMembers.userId));
}

/** Whether the user was not a member before. */
export async function addMember(tx: Database, projectId: string, userId: string, now: Date): Promise<boolean> {
  const added = await tx
    .insert(projectMembers)
    .values({ projectId, userId, role: 'member', addedAt: now })
    .onConflictDoNothing()
    .returning({ userId: projectMembers.userId });
  return added.length > 0;
}

/** Remove a member who is not an owner, and the tokens they made for the project. Whether there was one. */
export async function removeMember(tx: Database, projectId: string, userId: string): Promise<boolean> {
  const removed = await tx
    .delete(projectMembers)
    .where(
      and(eq(projectMembers.projectId, projectId), eq(projectMembers.userId, userId), ne(projectMembers.role, 'owner')),
    )
    .returning({ userId: projectMembers.userId });
  if (removed.length === 0) return false;
  await tx.delete(apiKeys).where(and(eq(apiKeys.projectId, projectId), eq(apiKeys.userId, userId)));
  return true;
}

export type NewInvitation = typeof projectInvitations.$inferInsert;

/** Add an invitation; an earlier one of the same address to the same project ends. */
export async function insertInvitation(tx: Database, invitation: NewInvitation): Promise<void> {
  await tx
    .delete(projectInvitations)
    .where(and(eq(projectInvitations.projectId, invitation.projectId), eq(projectInvitations.email, invitation.email)));
  await tx.insert(projectInvitations).values(invitation);
}

/** Invitations that have not expired, of a project or to an address. */
export async function listInvitations(
  db: Database,
  of: { readonly projectId: string } | { readonly email: string },
  now: Date,
): Promise<readonly Invitation[]> {
  return await db
    .select({
      id: projectInvitations.id,
      projectId: projectInvitations.projectId,
      projectName: projects.name,
      email: projectInvitations.email,
      invitedBy: users.username,
      createdAt: projectInvitations.createdAt,
      expiresAt: projectInvitations.expiresAt,
    })
    .from(projectInvitations)
    .innerJoin(projects, eq(projects.id, projectInvitations.projectId))
    .innerJoin(users, eq(users.id, projectInvitations.invitedBy))
    .where(
      and(
        'email' in of ? eq(projectInvitations.email, of.email) : eq(projectInvitations.projectId, of.projectId),
        gt(projectInvitations.expiresAt, now),
      ),
    )
    .orderBy(desc(projectInvitations.createdAt), desc(projectInvitations.id))
    .limit(100);
}

/** The project of an invitation to an address, or null when there is none or it has expired. */
export async function findInvitedProject(db: Database, id: string, email: string, now: Date): Promise<string | null> {
  const rows = await db
    .select({ projectId: projectInvitations.projectId })
    .from(projectInvitations)
    .where(
      and(eq(projectInvitations.id, id), eq(projectInvitations.email, email), gt(projectInvitations.expiresAt, now)),
    );
  return rows[0]?.projectId ?? null;
}

export async function countMembers(db: Database, projectId: string): Promise<number> {
  const totals = await db
    .select({ total: count() })
    .from(projectMembers)
    .where(eq(projectMembers.projectId, projectId));
  return totals[0]?.total ?? 0;
}

/** Delete an invitation of a project or to an address. Returns its project, or null when there is none. */
export async function deleteInvitation(
  tx: Database,
  id: string,
  of: { readonly projectId: string } | { readonly email: string },
  now: Date,
): Promise<string | null> {
  const taken = await tx
    .delete(projectInvitations)
    .where(
      and(
        eq(projectInvitations.id, id),
        'email' in of ? eq(projectInvitations.email, of.email) : eq(projectInvitations.projectId, of.projectId),
        gt(projectInvitations.expiresAt, now),
      ),
    )
    .returning({ projectId: projectInvitations.projectId });
  return taken[0]?.projectId ?? null;
}
