import { ApiError, type PageQuery } from '@gptj-cloud/protocol';
import { and, asc, desc, eq, gt, inArray, isNotNull, ne, or } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { findPage, type Page } from '../../store/page.ts';
import { apiKeys, projectInvitations, projectMembers, projects, users } from '../identity-tables.ts';
import type { User } from '../users/user.ts';

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
  /** The invited address, or null: the invitation names a username. */
  readonly email: string | null;
  readonly username: string | null;
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

/** A page of the user's projects, or only the one with the id `only`. */
export async function listProjects(
  db: Database,
  userId: string,
  only: string | null,
  page: PageQuery<'created_at'>,
): Promise<Page<Project>> {
  const mine = db
    .select({ id: projectMembers.projectId })
    .from(projectMembers)
    .where(eq(projectMembers.userId, userId));
  const where = and(inArray(projects.id, mine), only === null ? undefined : eq(projects.id, only));
  const load = async (ids: readonly string[]) =>
    await db
      .select(seen)
      .from(projects)
      .innerJoin(projectMembers, eq(projectMembers.projectId, projects.id))
      .where(and(eq(projectMembers.userId, userId), inArray(projects.id, [...ids])));
  const source = { table: projects, time: projects.createdAt, id: projects.id, where };
  return await findPage(db, source, page, load, ({ id }) => id);
}

/** The names of projects by their ids; absent for projects that do not exist. */
export async function findProjectNames(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: projects.id, name: projects.name })
    .from(projects)
    .where(inArray(projects.id, [...ids]));
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** The address of the owner of a project; null when it is not verified. */
export async function findVerifiedOwnerEmail(db: Database, projectId: string): Promise<string | null> {
  const rows = await db
    .select({ email: users.email })
    .from(projects)
    .innerJoin(users, eq(users.id, projects.ownerId))
    .where(and(eq(projects.id, projectId), isNotNull(users.verifiedAt)));
  return rows[0]?.email ?? null;
}

/** Count the projects that the user owns. */
export async function countOwnedProjects(db: Database, userId: string): Promise<number> {
  return await db.$count(projects, eq(projects.ownerId, userId));
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

/** The projects that a user owns, locked against inserts into them until the transaction ends. */
export async function lockOwnedProjects(
  tx: Database,
  userId: string,
): Promise<readonly { readonly id: string; readonly name: string; readonly isShared: boolean }[]> {
  const owned = await tx
    .select({ id: projects.id, name: projects.name })
    .from(projects)
    .where(eq(projects.ownerId, userId))
    .orderBy(asc(projects.id))
    .for('update');
  const ids = owned.map(({ id }) => id);
  const others = await tx
    .selectDistinct({ id: projectMembers.projectId })
    .from(projectMembers)
    .where(and(inArray(projectMembers.projectId, ids), ne(projectMembers.userId, userId)));
  const shared = new Set(others.map(({ id }) => id));
  return owned.map((project) => ({ ...project, isShared: shared.has(project.id) }));
}

/** Delete projects with their members, invitations and API keys. */
export async function deleteProjects(tx: Database, ids: readonly string[]): Promise<void> {
  await tx.delete(projects).where(inArray(projects.id, [...ids]));
}

/** The members of a project, in the order they joined. */
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
    // Of members added in the same millisecond, the owner comes first.
    .orderBy(asc(projectMembers.addedAt), desc(projectMembers.role), asc(projectMembers.userId));
}

/** Add a member. Returns false when the user already was one. */
export async function addMember(tx: Database, projectId: string, userId: string, now: Date): Promise<boolean> {
  const added = await tx
    .insert(projectMembers)
    .values({ projectId, userId, role: 'member', addedAt: now })
    .onConflictDoNothing()
    .returning({ userId: projectMembers.userId });
  return added.length > 0;
}

/** The user who owns a project, or null. */
export async function findOwner(db: Database, projectId: string): Promise<User | null> {
  const rows = await db
    .select({ user: users })
    .from(projects)
    .innerJoin(users, eq(users.id, projects.ownerId))
    .where(eq(projects.id, projectId));
  return rows[0]?.user ?? null;
}

/** Remove a member who is not an owner, with the member's tokens of the project. Returns whether there was one. */
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

/** Add an invitation in place of an earlier one of the same address or username to the same project. */
export async function insertInvitation(tx: Database, invitation: NewInvitation): Promise<void> {
  const { email, username } = invitation;
  const same = email == null ? eq(projectInvitations.username, username ?? '') : eq(projectInvitations.email, email);
  await tx.delete(projectInvitations).where(and(eq(projectInvitations.projectId, invitation.projectId), same));
  await tx.insert(projectInvitations).values(invitation);
}

/** Whose invitations: those of a project, or those that a user may answer. */
export type InvitationsOf =
  | { readonly projectId: string }
  | { readonly user: Pick<User, 'id' | 'email' | 'verifiedAt'> };

/** Only a verified address is the user's; an invitation by username names the account itself. */
function invitationsOf(of: InvitationsOf) {
  if ('projectId' in of) return eq(projectInvitations.projectId, of.projectId);
  const { id, email, verifiedAt } = of.user;
  const byAccount = eq(projectInvitations.userId, id);
  return verifiedAt === null ? byAccount : or(byAccount, eq(projectInvitations.email, email));
}

/** Invitations that have not expired. */
export async function listInvitations(db: Database, of: InvitationsOf, now: Date): Promise<readonly Invitation[]> {
  return await db
    .select({
      id: projectInvitations.id,
      projectId: projectInvitations.projectId,
      projectName: projects.name,
      email: projectInvitations.email,
      username: projectInvitations.username,
      invitedBy: users.username,
      createdAt: projectInvitations.createdAt,
      expiresAt: projectInvitations.expiresAt,
    })
    .from(projectInvitations)
    .innerJoin(projects, eq(projects.id, projectInvitations.projectId))
    .innerJoin(users, eq(users.id, projectInvitations.invitedBy))
    .where(and(invitationsOf(of), gt(projectInvitations.expiresAt, now)))
    .orderBy(desc(projectInvitations.createdAt), desc(projectInvitations.id))
    .limit(MAX_LISTED);
}

const MAX_LISTED = 100;

/** The project of an invitation, or null when there is none or it has expired. */
export async function findInvitedProject(
  db: Database,
  id: string,
  of: InvitationsOf,
  now: Date,
): Promise<string | null> {
  const rows = await db
    .select({ projectId: projectInvitations.projectId })
    .from(projectInvitations)
    .where(and(eq(projectInvitations.id, id), invitationsOf(of), gt(projectInvitations.expiresAt, now)));
  return rows[0]?.projectId ?? null;
}

/** Count the invitations of a project that have not expired. */
export async function countInvitations(db: Database, projectId: string, now: Date): Promise<number> {
  return await db.$count(
    projectInvitations,
    and(eq(projectInvitations.projectId, projectId), gt(projectInvitations.expiresAt, now)),
  );
}

/** Whether any project has an open invitation of an address. */
export async function isInvited(db: Database, email: string, now: Date): Promise<boolean> {
  const rows = await db
    .select({ id: projectInvitations.id })
    .from(projectInvitations)
    .where(and(eq(projectInvitations.email, email), gt(projectInvitations.expiresAt, now)))
    .limit(1);
  return rows.length > 0;
}

export async function countMembers(db: Database, projectId: string): Promise<number> {
  return await db.$count(projectMembers, eq(projectMembers.projectId, projectId));
}

/** Delete an invitation. Returns its project, or null when there is none. */
export async function deleteInvitation(tx: Database, id: string, of: InvitationsOf, now: Date): Promise<string | null> {
  const deleted = await tx
    .delete(projectInvitations)
    .where(and(eq(projectInvitations.id, id), invitationsOf(of), gt(projectInvitations.expiresAt, now)))
    .returning({ projectId: projectInvitations.projectId });
  return deleted[0]?.projectId ?? null;
}

/** Remove what gives others access to projects of a user: members, the members' tokens, and invitations. */
export async function severProjects(
  tx: Database,
  userId: string,
  projectIds: readonly string[],
): Promise<{ readonly members: number; readonly invitations: number }> {
  const ids = [...projectIds];
  const members = await tx
    .delete(projectMembers)
    .where(and(inArray(projectMembers.projectId, ids), ne(projectMembers.userId, userId)))
    .returning({ userId: projectMembers.userId });
  await tx.delete(apiKeys).where(and(inArray(apiKeys.projectId, ids), ne(apiKeys.userId, userId)));
  const invitations = await tx
    .delete(projectInvitations)
    .where(inArray(projectInvitations.projectId, ids))
    .returning({ id: projectInvitations.id });
  return { members: members.length, invitations: invitations.length };
}

/** End the memberships of a user in projects of others. Returns how many there were. */
export async function leaveProjects(tx: Database, userId: string): Promise<number> {
  const left = await tx
    .delete(projectMembers)
    .where(and(eq(projectMembers.userId, userId), ne(projectMembers.role, 'owner')))
    .returning({ projectId: projectMembers.projectId });
  return left.length;
}
