/**
 * Projects of the asking user. A token sees its own project alone; changing anything needs `admin` or a session.
 *
 *     POST   /v2/projects                            {name} → 201 ProjectGetDetailed; needs a session
 *     GET    /v2/projects                            ?skip&limit&order_by=created_at:desc → Paginated[ProjectGetDetailed]
 *     GET    /v2/projects/{id}                       → ProjectGetDetailed
 *     PATCH  /v2/projects/{id}                       {name} → ProjectGetDetailed; its owner
 *     DELETE /v2/projects/{id}                       → 204; its owner, when it holds nothing
 *     GET    /v2/projects/{id}/members               → {data: MemberGet[]}
 *     POST   /v2/projects/{id}/members               {username} → 201 {data: MemberGet[]}; its owner
 *     DELETE /v2/projects/{id}/members/{user_id}     → 204; its owner, or the member leaving
 *     GET    /v2/projects/{id}/invitations           → {data: InvitationGet[]}; members
 *     POST   /v2/projects/{id}/invitations           {email} → 201 {data: InvitationGet[]}; its owner
 *     DELETE /v2/projects/{id}/invitations/{id}      → 204; its owner
 *     GET    /v2/invitations                         → {data: InvitationGet[]} to one's own address; needs a session
 *     POST   /v2/invitations/{id}/accept, /decline   → 204; needs a session and a verified address
 */
import {
  ApiError,
  type InvitationGet,
  invitationCreateSchema,
  type MemberGet,
  memberCreateSchema,
  type ProjectGetDetailed,
  parsePageQuery,
  projectCreateSchema,
  projectPatchSchema,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { readSmallBody } from '../../http/small-body.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import type { ProjectContents } from '../../identity/projects/project-contents.ts';
import {
  addProjectMember,
  answerInvitation,
  changeProject,
  createProject,
  dropProject,
  getProject,
  inviteToProject,
  removeProjectMember,
  withdrawInvitation,
} from '../../identity/projects/project-service.ts';
import {
  type Invitation,
  listInvitations,
  listMembers,
  listProjects,
  type Project,
} from '../../identity/projects/project-store.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf, requireSession } from '../access/signed-in.ts';

export function projectRoutes(deps: AccountDeps): Hono<AppEnv> {
  const { db, clock } = deps;
  const showAll = async (projects: readonly Project[]): Promise<ProjectGetDetailed[]> => {
    const contents = await deps.contents.countInProjects(
      db,
      projects.map(({ id }) => id),
    );
    return projects.map((project) => toProjectGet(project, contents.get(project.id)));
  };
  const show = async (project: Project): Promise<ProjectGetDetailed> =>
    toProjectGet(project, (await deps.contents.countInProjects(db, [project.id])).get(project.id));
  const members = async (projectId: string): Promise<{ data: MemberGet[] }> => ({
    data: (await listMembers(db, projectId)).map((member) => ({
      user_id: member.userId,
      username: member.username,
      role: member.role,
      added_at: toTimestamp(member.addedAt),
    })),
  });
  const invitations = async (of: Parameters<typeof listInvitations>[1]): Promise<{ data: InvitationGet[] }> => ({
    data: (await listInvitations(db, of, clock())).map(toInvitationGet),
  });
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/projects', async (c) => {
      const { user } = requireSession(c);
      const { name } = await readSmallBody(c, projectCreateSchema);
      return c.json(await show(await createProject(deps, user.id, name, callerOf(c))), 201);
    })
    .get('/v2/projects', async (c) => {
      const { skip, limit, order_by: orderBy } = c.req.query();
      const page = parsePageQuery({ skip, limit, orderBy }, ['created_at']);
      const { userId, apiKeyId, projectId } = c.get('principal');
      const { total, projects } = await listProjects(db, userId, apiKeyId === null ? null : projectId, page);
      return c.json({ skip: page.skip, limit: page.limit, total, data: await showAll(projects) });
    })
    .get('/v2/projects/:id', async (c) =>
      c.json(await show(await getProject(deps, c.get('principal'), c.req.param('id')))),
    )
    .patch('/v2/projects/:id', async (c) => {
      const { name } = await readSmallBody(c, projectPatchSchema);
      const change = { id: c.req.param('id'), name };
      return c.json(await show(await changeProject(deps, c.get('principal'), change, callerOf(c))));
    })
    .delete('/v2/projects/:id', async (c) => {
      await dropProject(deps, c.get('principal'), c.req.param('id'), callerOf(c));
      return c.body(null, 204);
    })
    .get('/v2/projects/:id/members', async (c) => {
      const { id } = await getProject(deps, c.get('principal'), c.req.param('id'));
      return c.json(await members(id));
    })
    .post('/v2/projects/:id/members', async (c) => {
      const { username } = await readSmallBody(c, memberCreateSchema);
      const projectId = c.req.param('id');
      await addProjectMember(deps, c.get('principal'), { projectId, username }, callerOf(c));
      return c.json(await members(projectId), 201);
    })
    .delete('/v2/projects/:id/members/:user', async (c) => {
      const removed = { projectId: c.req.param('id'), userId: c.req.param('user') };
      await removeProjectMember(deps, c.get('principal'), removed, callerOf(c));
      return c.body(null, 204);
    })
    .get('/v2/projects/:id/invitations', async (c) => {
      const { id: projectId } = await getProject(deps, c.get('principal'), c.req.param('id'));
      return c.json(await invitations({ projectId }));
    })
    .post('/v2/projects/:id/invitations', async (c) => {
      const { email } = await readSmallBody(c, invitationCreateSchema);
      const projectId = c.req.param('id');
      await inviteToProject(deps, c.get('principal'), { projectId, email }, callerOf(c));
      return c.json(await invitations({ projectId }), 201);
    })
    .delete('/v2/projects/:id/invitations/:invitation', async (c) => {
      const withdrawn = { projectId: c.req.param('id'), id: c.req.param('invitation') };
      await withdrawInvitation(deps, c.get('principal'), withdrawn, callerOf(c));
      return c.body(null, 204);
    })
    .get('/v2/invitations', async (c) => {
      const { email, verifiedAt } = requireSession(c).user;
      // Whom they are for is known of a verified address alone.
      if (verifiedAt === null) throw new ApiError('email_unverified');
      return c.json(await invitations({ email }));
    })
    .post('/v2/invitations/:id/accept', async (c) => {
      await answerInvitation(deps, requireSession(c).user, { id: c.req.param('id'), accept: true }, callerOf(c));
      return c.body(null, 204);
    })
    .post('/v2/invitations/:id/decline', async (c) => {
      await answerInvitation(deps, requireSession(c).user, { id: c.req.param('id'), accept: false }, callerOf(c));
      return c.body(null, 204);
    });
}

function toProjectGet(project: Project, contents: ProjectContents | undefined): ProjectGetDetailed {
  return {
    id: project.id,
    name: project.name,
    created_at: toTimestamp(project.createdAt),
    updated_at: toTimestamp(project.updatedAt),
    role: project.role,
    // Nothing of these is uploaded here: the pipelines are built in and belong to nobody.
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
    invited_by: invitation.invitedBy,
    created_at: toTimestamp(invitation.createdAt),
    expires_at: toTimestamp(invitation.expiresAt),
  };
}
