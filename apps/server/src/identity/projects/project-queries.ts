import {
  ApiError,
  type InvitationGet,
  type MemberGet,
  type PageQuery,
  type Paginated,
  type ProjectGetDetailed,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { toPaginated } from '../../store/page.ts';
import type { ContentsDeps, StoreDeps } from '../account-deps.ts';
import type { Principal } from '../principal.ts';
import type { User } from '../users/user.ts';
import type { ProjectContents } from './project-contents.ts';
import { type Invitation, listInvitations, listMembers, listProjects, type Project } from './project-store.ts';

/** A project as the API returns it, with counts of its contents. */
export async function describeProject(deps: ContentsDeps, project: Project): Promise<ProjectGetDetailed> {
  const contents = await deps.contents.countInProjects(deps.db, [project.id]);
  return toProjectGet(project, contents.get(project.id));
}

/** A page of the projects of the user; for a token, the token's project. */
export async function getProjects(
  { db, contents }: ContentsDeps,
  { userId, apiKeyId, projectId }: Principal,
  page: PageQuery<'created_at'>,
): Promise<Paginated<ProjectGetDetailed>> {
  const found = await listProjects(db, userId, apiKeyId === null ? null : projectId, page);
  const counts = await contents.countInProjects(
    db,
    found.rows.map(({ id }) => id),
  );
  return toPaginated(page, found, (project) => toProjectGet(project, counts.get(project.id)));
}

export async function getMembers({ db }: StoreDeps, projectId: string): Promise<{ readonly data: MemberGet[] }> {
  const members = await listMembers(db, projectId);
  return {
    data: members.map((member) => ({
      user_id: member.userId,
      username: member.username,
      role: member.role,
      added_at: toTimestamp(member.addedAt),
    })),
  };
}

/** The open invitations to a project. */
export async function getInvitations(
  { db, clock }: StoreDeps,
  projectId: string,
): Promise<{ readonly data: InvitationGet[] }> {
  return { data: (await listInvitations(db, { projectId }, clock())).map(toInvitationGet) };
}

/**
 * The open invitations to the user's username and verified address. Throws `email_unverified` where only an unverified
 * address could have some.
 */
export async function getOwnInvitations(
  { db, clock }: StoreDeps,
  user: User,
): Promise<{ readonly data: InvitationGet[] }> {
  const invitations = await listInvitations(db, { user }, clock());
  if (invitations.length === 0 && user.verifiedAt === null) throw new ApiError('email_unverified');
  return { data: invitations.map(toInvitationGet) };
}

function toProjectGet(project: Project, contents: ProjectContents | undefined): ProjectGetDetailed {
  return {
    id: project.id,
    name: project.name,
    created_at: toTimestamp(project.createdAt),
    updated_at: toTimestamp(project.updatedAt),
    role: project.role,
    // The pipelines are built in and belong to no project.
    n_functions: 0,
    n_pipelines: 0,
    n_models: 0,
    n_function_runs: 0,
    n_pipeline_runs: contents?.runs ?? 0,
    n_data: contents?.data ?? 0,
  };
}

function toInvitationGet(invitation: Invitation): InvitationGet {
  return {
    id: invitation.id,
    project: { id: invitation.projectId, name: invitation.projectName },
    email: invitation.email,
    username: invitation.username,
    invited_by: invitation.invitedBy,
    created_at: toTimestamp(invitation.createdAt),
    expires_at: toTimestamp(invitation.expiresAt),
  };
}
