import { ApiError, newId } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { AccountDeps } from '../account-deps.ts';
import type { Principal } from '../principal.ts';
import { countAsking } from '../sessions/login-guard.ts';
import { DEFAULT_PROJECT_ID } from '../users/first-user.ts';
import type { User } from '../users/user.ts';
import { findUserByLogin, insertProject, lockUser } from '../users/user-store.ts';
import { countContents } from './project-contents.ts';
import {
  addMember,
  countOwnedProjects,
  deleteProject,
  findProject,
  insertInvitation,
  listMembers,
  lockProject,
  type Project,
  removeMember,
  renameProject,
  takeInvitation,
} from './project-store.ts';

const MAX_PROJECTS = 50;
const MAX_MEMBERS = 200;
const INVITATION_LIFETIME_MS = 14 * 86_400_000;

/**
 * A project that the principal may see: any of its own for a session, its own one for a token. Others', and none, are
 * `not_found` alike.
 */
export async function getProject({ db }: AccountDeps, principal: Principal, id: string): Promise<Project> {
  const hidden = principal.apiKeyId !== null && principal.projectId !== id;
  const project = hidden ? null : await findProject(db, principal.userId, id);
  if (project === null) throw new ApiError('not_found', { kind: 'project', id: id.slice(0, 100) });
  return project;
}

/** The same, for what only its owners may do. Throws `project_owner_required`, too. */
async function getOwnedProject(deps: AccountDeps, principal: Principal, id: string): Promise<Project> {
  const project = await getProject(deps, principal, id);
  if (project.role !== 'owner') throw new ApiError('project_owner_required');
  return project;
}

export async function createProject(deps: AccountDeps, userId: string, name: string, caller: Caller): Promise<Project> {
  const { db, clock } = deps;
  return await db.transaction(async (tx) => {
    await lockUser(tx, userId);
    if ((await countOwnedProjects(tx, userId)) >= MAX_PROJECTS) {
      throw new ApiError('limit_reached', { limit: MAX_PROJECTS, what: 'projects' });
    }
    const id = await insertProject(tx, userId, name, clock());
    await recordAudit(tx, clock(), caller, { action: 'project.create', subject: id, projectId: id, details: { name } });
    const made = await findProject(tx, userId, id);
    if (made === null) throw new Error(`project ${id} is not there after its insert`);
    return made;
  });
}

export async function changeProject(
  deps: AccountDeps,
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

/** Delete a project that holds nothing. Its tokens end with it. Throws `conflict` for one that does, and for the last. */
export async function dropProject(deps: AccountDeps, principal: Principal, id: string, caller: Caller): Promise<void> {
  const { db, clock } = deps;
  const project = await getOwnedProject(deps, principal, id);
  await db.transaction(async (tx) => {
    // Of the last two, deleted at once, one stays.
    await lockUser(tx, project.ownerId);
    if (id === DEFAULT_PROJECT_ID || (await countOwnedProjects(tx, project.ownerId)) === 1) {
      throw new ApiError('conflict', { reason: 'the first and the only project stay', remedy: 'rename it instead' });
    }
    await lockProject(tx, id);
    const contents = (await countContents(tx, [id])).get(id);
    if (contents !== undefined && contents.runs + contents.data > 0) {
      throw new ApiError('conflict', {
        reason: `the project still holds ${contents.runs} runs and ${contents.data} data`,
        remedy: 'delete them first',
      });
    }
    await recordAudit(tx, clock(), caller, {
      action: 'project.delete',
      subject: id,
      projectId: id,
      details: { name: project.name },
    });
    await deleteProject(tx, id);
  });
}

/** Make somebody a member by username. Throws `not_found`, `name_unknown`, `conflict`, `limit_reached`. */
export async function addProjectMember(
  deps: AccountDeps,
  principal: Principal,
  added: { readonly projectId: string; readonly username: string },
  caller: Caller,
): Promise<string> {
  const { db, clock } = deps;
  const { id } = await getOwnedProject(deps, principal, added.projectId);
  const user = await findUserByLogin(db, added.username);
  if (user === null) {
    const remedy = 'check the username; who has no account yet is invited by e-mail address';
    throw new ApiError('name_unknown', { kind: 'user', name: added.username, remedy });
  }
  await db.transaction(async (tx) => {
    await refuseFull(tx, id);
    if (!(await addMember(tx, id, user.id, clock()))) {
      throw new ApiError('conflict', {
        reason: `${user.username} is a member already`,
        remedy: `GET /v2/projects/${id}/members lists the members`,
      });
    }
    await recordAudit(tx, clock(), caller, { action: 'project.member_add', subject: user.id, projectId: id });
  });
  return user.id;
}

/** Remove a member; members may remove themselves. Owners stay. */
export async function removeProjectMember(
  deps: AccountDeps,
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
        { remedy: `give the user_id of one that GET /v2/projects/${id}/members lists; owners stay` },
      );
    }
    await recordAudit(tx, clock(), caller, { action: 'project.member_remove', subject: removed.userId, projectId: id });
  });
}

/** Invite an address. Whoever proves to own it can accept. */
export async function inviteToProject(
  deps: AccountDeps,
  principal: Principal,
  invited: { readonly projectId: string; readonly email: string },
  caller: Caller,
): Promise<string> {
  const { db, clock, mailer, publicUrl } = deps;
  const project = await getOwnedProject(deps, principal, invited.projectId);
  await countAsking(db, clock(), 'invite', caller.address);
  const id = newId('invitation');
  const createdAt = clock();
  await db.transaction(async (tx) => {
    await refuseFull(tx, project.id);
    await insertInvitation(tx, {
      id,
      projectId: project.id,
      email: invited.email,
      invitedBy: principal.userId,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + INVITATION_LIFETIME_MS),
    });
    await recordAudit(tx, createdAt, caller, { action: 'project.invite', subject: id, projectId: project.id });
  });
  mailer.send({
    to: invited.email,
    subject: 'You are invited to a project',
    text: `Hello,\n\nyou are invited to the project "${project.name}" on ${publicUrl()}\n\nSign in, or register with this address, and accept within two weeks (POST /v2/invitations/${id}/accept).\n`,
  });
  return id;
}

export async function withdrawInvitation(
  deps: AccountDeps,
  principal: Principal,
  withdrawn: { readonly projectId: string; readonly id: string },
  caller: Caller,
): Promise<void> {
  const { db, clock } = deps;
  const { id: projectId } = await getOwnedProject(deps, principal, withdrawn.projectId);
  await db.transaction(async (tx) => {
    const taken = await takeInvitation(tx, withdrawn.id, { projectId }, clock());
    if (taken === null) throw new ApiError('not_found', { kind: 'invitation', id: withdrawn.id.slice(0, 100) });
    await recordAudit(tx, clock(), caller, { action: 'project.invitation_withdraw', subject: withdrawn.id, projectId });
  });
}

/** Accept or decline an invitation to one's own, verified address. Throws `email_unverified`, `not_found`. */
export async function answerInvitation(
  { db, clock }: AccountDeps,
  user: User,
  answer: { readonly id: string; readonly accept: boolean },
  caller: Caller,
): Promise<void> {
  if (user.verifiedAt === null) throw new ApiError('email_unverified');
  await db.transaction(async (tx) => {
    const projectId = await takeInvitation(tx, answer.id, { email: user.email }, clock());
    if (projectId === null) throw new ApiError('not_found', { kind: 'invitation', id: answer.id.slice(0, 100) });
    if (answer.accept) await addMember(tx, projectId, user.id, clock());
    const action = answer.accept ? 'project.invitation_accept' : 'project.invitation_decline';
    await recordAudit(tx, clock(), caller, { action, subject: answer.id, projectId });
  });
}

async function refuseFull(tx: AccountDeps['db'], projectId: string): Promise<void> {
  if ((await listMembers(tx, projectId)).length >= MAX_MEMBERS) {
    throw new ApiError('limit_reached', { limit: MAX_MEMBERS, what: 'members' });
  }
}
