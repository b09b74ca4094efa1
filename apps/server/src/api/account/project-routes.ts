/** Projects of a user. A token sees its own project alone; changes need the scope `admin` or a session. */
import {
  type ProjectGetDetailed,
  paginatedSchema,
  projectCreateSchema,
  projectGetDetailedSchema,
  projectPatchSchema,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import type { ProjectContents } from '../../identity/projects/project-contents.ts';
import { changeProject, createProject, dropProject, getProject } from '../../identity/projects/project-service.ts';
import { listProjects, type Project } from '../../identity/projects/project-store.ts';
import { type ApiRoute, SESSION, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

const projectReply = json(projectGetDetailedSchema, 'The project.');

export function projectRoutes(deps: AccountDeps): readonly ApiRoute[] {
  const { db } = deps;
  const showAll = async (projects: readonly Project[]): Promise<ProjectGetDetailed[]> => {
    const contents = await deps.contents.countInProjects(
      db,
      projects.map(({ id }) => id),
    );
    return projects.map((project) => toProjectGet(project, contents.get(project.id)));
  };
  const show = async (project: Project): Promise<ProjectGetDetailed> =>
    toProjectGet(project, (await deps.contents.countInProjects(db, [project.id])).get(project.id));
  const record = { errors: pipelineCloudErrors, tag: 'projects' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/projects',
      access: SESSION,
      summary: 'Create a project',
      body: jsonBody(projectCreateSchema),
      replies: { 201: projectReply },
      handle: async ({ body, signedIn: { user }, caller }) =>
        await show(await createProject(deps, user.id, body.name, caller)),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/projects',
      access: scope('read'),
      summary: 'List projects',
      parameters: PAGE,
      replies: { 200: json(paginatedSchema(projectGetDetailedSchema), 'A page of projects.') },
      async handle({ parameters, principal: { userId, apiKeyId, projectId } }) {
        const onlyProject = apiKeyId === null ? null : projectId;
        const { total, projects } = await listProjects(db, userId, onlyProject, parameters);
        return { skip: parameters.skip, limit: parameters.limit, total, data: await showAll(projects) };
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/projects/:id',
      access: scope('read'),
      summary: 'Get a project',
      replies: { 200: projectReply },
      handle: async ({ path, principal }) => await show(await getProject(deps, principal, path.id)),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/projects/:id',
      access: scope('admin'),
      summary: 'Rename a project; its owner',
      body: jsonBody(projectPatchSchema),
      replies: { 200: projectReply },
      handle: async ({ path, body, principal, caller }) =>
        await show(await changeProject(deps, principal, { id: path.id, name: body.name }, caller)),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/projects/:id',
      access: scope('admin'),
      summary: 'Delete a project that holds nothing; its owner',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal, caller }) => dropProject(deps, principal, path.id, caller),
    }),
  ];
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
