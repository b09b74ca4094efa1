import { ApiError, type AuditEntryGet, newId, type PageQuery, type Paginated } from '@gptj-cloud/protocol';
import { type Caller, listAudit, recordAudit } from '../../audit/audit-log.ts';
import type { AuditFilter } from '../../audit/audit-store.ts';
import type { Database } from '../../store/db.ts';
import type { ContentsDeps, DeferDeps, MailDeps, StoreDeps } from '../account-deps.ts';
import { type NoticeKind, notify } from '../notices.ts';
import type { Principal } from '../principal.ts';
import { enforceRateLimit } from '../sessions/login-guard.ts';
import { canonicalLogin } from '../sessions/login-name.ts';
import { DEFAULT_PROJECT_ID } from '../users/first-user.ts';
import type { User } from '../users/user.ts';
import { findUserByLogin, insertProject, lockUser } from '../users/user-store.ts';
import {
  addMember,
  countInvitations,
  countMembers,
  countOwnedProjects,
  deleteInvitation,
  deleteProjects,
  findInvitedProject,
  findOwner,
  findProject,
  insertInvitation,
  lockProject,
  type Project,
  removeMember,
  renameProject,
} from './project-store.ts';

const MAX_PROJECTS = 50;
const MAX_MEMBERS = 200;
const MAX_INVITATIONS = 200;
const INVITATION_LIFETIME_MS = 14 * 86_400_000;

/**
 * A project that the principal may see: for a session any project of the user, for a token the token's project. Throws
 * the same `not_found` for a project of other users and for one that does not exist.
 */
export async function getProject({ db }: StoreDeps, principal: Principal, id: string): Promise<Project> {
  const hidden = principal.apiKeyId !== null && principal.projectId !== id;
  const project = hidden ? null : await findProject(db, principal.userId, id);
  if (project === null) throw new ApiError('not_found', { kind: 'project', id: id.slice(0, 100) });
  return project;
}

/** As {@link getProject}, for what only owners of the project may do. Also throws `project_owner_required`. */
async function getOwnedProject(deps: StoreDeps, principal: Principal, id: string): Promise<Project> {
  const project = await getProject(deps, principal, id);
  if (project.role !== 'owner') throw new ApiError('project_owner_required');
  return project;
}

/** A page of the audit log of a project, for its owner. Throws `not_found`, `project_owner_required`. */
export async function getProjectAuditLog(
  deps: StoreDeps,
  principal: Principal,
  id: string,
  page: PageQuery<'created_at'>,
  filter: Omit<AuditFilter, 'projectId'>,
): Promise<Paginated<AuditEntryGet>> {
  const project = await getOwnedProject(deps, principal, id);
  return await listAudit(deps.db, page, { ...filter, projectId: project.id });
}

export async function createProject(deps: StoreDeps, userId: string, name: string, caller: Caller): Promise<Project> {
  const { db, clock } = deps;
  return await db.transaction(async (tx) => {
    await lockUser(tx, userId);
    if ((await countOwnedProjects(tx, userId)) >= MAX_PROJECTS) {
      throw new ApiError('limit_reached', { limit: MAX_PROJECTS, what: 'projects' });
    }
    const id = await insertProject(tx, userId, name, clock());
    await recordAudit(tx, clock(), caller, { action: 'project.create', subject: id, projectId: id, details: { name } });
    const made = await findProject(tx, userId, id);
    if (made === null) throw new Error(`expected project ${id} after its insert, got none`);
    return made;
  });
}

export async function changeProject(
  deps: StoreDeps,
  principal: Principal,
  change: { readonly id: string; readonly name: string },
  caller: Caller,
): Promise<Project> {
  const { db, clock } = deps;
  const { id, name } = await getOwnedProject(deps, principal, change.id);
  await db.transaction(async (tx) => {
    await renameProject(tx, id, change.name, clock());
    const details = { from: name, to: change.name };
    await recordAudit(tx, clock(), caller, { action: 'project.update', subject: id, projectId: id, details });
  });
  return await getProject(deps, principal, id);
}

/** Delete an empty project with its tokens. Throws `conflict` for one with runs or data, and for the user's last one. */
export async function dropProject(deps: ContentsDeps, principal: Principal, id: string, caller: Caller): Promise<void> {
  const { db, clock, contents } = deps;
  const project = await getOwnedProject(deps, principal, id);
  await db.transaction(async (tx) => {
    // When the last two projects are deleted at once, one of the requests must fail.
    await lockUser(tx, project.ownerId);
    if (id === DEFAULT_PROJECT_ID || (await countOwnedProjects(tx, project.ownerId)) === 1) {
      throw new ApiError('conflict', {
        reason: 'the first project and the only project cannot be deleted',
        remedy: 'rename it instead',
      });
    }
    await lockProject(tx, id, 'update');
    const held = (await contents.countInProjects(tx, [id])).get(id);
    if (held !== undefined && held.runs + held.data > 0) {
      throw new ApiError('conflict', {
        reason: `the project still holds ${held.runs} runs and ${held.data} data`,
        remedy: 'delete them first',
      });
    }
    await recordAudit(tx, clock(), caller, {
      action: 'project.delete',
      subject: id,
      projectId: id,
      details: { name: project.name },
    });
    await deleteProjects(tx, [id]);
  });
}

/** Remove a member; members may remove themselves. Owners cannot be removed. */
export async function removeProjectMember(
  deps: StoreDeps,
  principal: Principal,
  removed: { readonly projectId: string; readonly userId: string },
  caller: Caller,
): Promise<void> {
  const { db, clock } = deps;
  const { id, role } = await getProject(deps, principal, removed.projectId);
  if (role !== 'owner' && removed.userId !== principal.userId) throw new ApiError('project_owner_required');
  await db.transaction(async (tx) => {
    if (!(await removeMember(tx, id, removed.userId))) {
      throw new ApiError(
        'not_found',
        { kind: 'removable member', id: removed.userId.slice(0, 100) },
        { remedy: `give the user_id of a member that GET /v2/projects/${id}/members lists; owners cannot be removed` },
      );
    }
    await recordAudit(tx, clock(), caller, { action: 'project.member_remove', subject: removed.userId, projectId: id });
  });
}

/** Whom an invitation is for. */
export type Invited = { readonly email: string } | { readonly username: string };

/**
 * Invite an e-mail address or a username; a user with that verified address, or the account that has the username now, can
 * accept. Replaces an earlier invitation of the same. The caller cannot see whether an account exists.
 *
 * Throws `not_found`, `project_owner_required`, `too_many_attempts`, `limit_reached`, and `conflict` for a member.
 */
export async function inviteToProject(
  deps: MailDeps & DeferDeps,
  principal: Principal,
  { projectId, invited }: { readonly projectId: string; readonly invited: Invited },
  caller: Caller,
): Promise<string> {
  const { db, clock, mailer, publicUrl } = deps;
  const project = await getOwnedProject(deps, principal, projectId);
  await enforceRateLimit(db, clock(), 'invite', caller.address);
  const named = 'username' in invited ? await findUserByLogin(db, invited.username) : null;
  // The query also runs for no account, so that it takes the same time.
  if ((await findProject(db, named?.id ?? '', project.id)) !== null && named !== null) {
    // The list of members shows as much.
    throw new ApiError('conflict', {
      reason: `${named.username} is already a member`,
      remedy: `GET /v2/projects/${project.id}/members lists the members`,
    });
  }
  const id = newId('invitation');
  const createdAt = clock();
  await db.transaction(async (tx) => {
    // Lock order: users before projects; the invitation refers to both.
    await lockUser(tx, principal.userId);
    await enforceMemberLimit(tx, project.id);
    if ((await countInvitations(tx, project.id, createdAt)) >= MAX_INVITATIONS) {
      throw new ApiError('limit_reached', { limit: MAX_INVITATIONS, what: 'open invitations of a project' });
    }
    await insertInvitation(tx, {
      id,
      projectId: project.id,
      email: 'email' in invited ? invited.email : null,
      username: 'username' in invited ? canonicalLogin(invited.username) : null,
      userId: named?.id ?? null,
      invitedBy: principal.userId,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + INVITATION_LIFETIME_MS),
    });
    await recordAudit(tx, createdAt, caller, { action: 'project.invite', subject: id, projectId: project.id });
  });
  const to = 'email' in invited ? invited.email : named?.email;
  // After the reply: a mail takes time, and none is sent when no account has the username.
  await deps.afterReply.add(async () => {
    if (to === undefined) return;
    mailer.send({
      to,
      subject: 'You are invited to a project',
      text: `Hello,\n\nyou are invited to the project "${project.name}" on ${publicUrl()}\n\nSign in${'email' in invited ? ', or register with this address,' : ` as ${invited.username}`} and accept within two weeks on the page Members: ${publicUrl()}/members\n\nA program accepts by POST /v2/invitations/${id}/accept.\n`,
    });
  });
  return id;
}

export async function withdrawInvitation(
  deps: StoreDeps,
  principal: Principal,
  withdrawn: { readonly projectId: string; readonly id: string },
  caller: Caller,
): Promise<void> {
  const { db, clock } = deps;
  const { id: projectId } = await getOwnedProject(deps, principal, withdrawn.projectId);
  await db.transaction(async (tx) => {
    const taken = await deleteInvitation(tx, withdrawn.id, { projectId }, clock());
    if (taken === null) throw new ApiError('not_found', { kind: 'invitation', id: withdrawn.id.slice(0, 100) });
    await recordAudit(tx, clock(), caller, { action: 'project.invitation_withdraw', subject: withdrawn.id, projectId });
  });
}

/**
 * Accept or decline an invitation to the user's username or verified address; the project's owner gets a notice of a new
 * member. Throws `email_unverified`, `not_found`, and `limit_reached` when the project has the maximum number of members:
 * the invitation then remains.
 */
export async function answerInvitation(
  deps: MailDeps,
  user: User,
  answer: { readonly id: string; readonly accept: boolean },
  caller: Caller,
): Promise<void> {
  const { db, clock } = deps;
  const joined = await db.transaction(async (tx) => {
    const invited = await findInvitedProject(tx, answer.id, { user }, clock());
    if (invited === null && user.verifiedAt === null) throw new ApiError('email_unverified');
    // The project's lock comes before that of the invitation, as where a project is deleted with its invitations.
    if (invited !== null && answer.accept) await enforceMemberLimit(tx, invited);
    const projectId = await deleteInvitation(tx, answer.id, { user }, clock());
    if (projectId === null) throw new ApiError('not_found', { kind: 'invitation', id: answer.id.slice(0, 100) });
    if (answer.accept) await addMember(tx, projectId, user.id, clock());
    const action = answer.accept ? 'project.invitation_accept' : 'project.invitation_decline';
    await recordAudit(tx, clock(), caller, { action, subject: answer.id, projectId });
    return answer.accept ? projectId : null;
  });
  if (joined !== null) await notifyProjectOwner(deps, joined, 'member_joined', { member: user.username });
}

/** Mail a notice to the owner of a project. */
export async function notifyProjectOwner(
  deps: MailDeps,
  projectId: string,
  kind: NoticeKind,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const owner = await findOwner(deps.db, projectId);
  if (owner !== null) notify(deps, owner, kind, values);
}

/** Lock the project, so that concurrent requests cannot pass the limit together, and throw `limit_reached` at it. */
async function enforceMemberLimit(tx: Database, projectId: string): Promise<void> {
  await lockProject(tx, projectId);
  if ((await countMembers(tx, projectId)) >= MAX_MEMBERS) {
    throw new ApiError('limit_reached', { limit: MAX_MEMBERS, what: 'members' });
  }
}
