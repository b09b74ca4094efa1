/** Projects of a user. A token sees its own project alone; changes need the scope `admin` or a session. */
import {
  auditEntrySchema,
  paginatedSchema,
  projectCreateSchema,
  projectGetDetailedSchema,
  projectPatchSchema,
} from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { describeProject, getProjects } from '../../identity/projects/project-queries.ts';
import {
  changeProject,
  createProject,
  dropProject,
  getProject,
  getProjectAuditLog,
} from '../../identity/projects/project-service.ts';
import { type ApiRoute, inPerson, SESSION, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { AUDIT_FILTER, auditFilter } from './audit-filter.ts';

const projectReply = json(projectGetDetailedSchema, 'The project.');

export function projectRoutes(deps: AccountDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'projects' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/projects',
      access: SESSION,
      summary: 'Create a project',
      body: jsonBody(projectCreateSchema),
      bodyExample: { name: 'poems' },
      replies: { 201: projectReply },
      handle: async ({ body, signedIn: { user }, caller }) =>
        await describeProject(deps, await createProject(deps, user.id, body.name, caller)),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/projects',
      access: scope('read'),
      summary: 'List projects',
      parameters: PAGE,
      replies: { 200: json(paginatedSchema(projectGetDetailedSchema), 'A page of projects.') },
      handle: ({ parameters, principal }) => getProjects(deps, principal, parameters),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/projects/:id',
      access: scope('read'),
      summary: 'Get a project',
      replies: { 200: projectReply },
      handle: async ({ path, principal }) => await describeProject(deps, await getProject(deps, principal, path.id)),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/projects/:id',
      access: scope('admin'),
      summary: 'Rename a project; its owner',
      body: jsonBody(projectPatchSchema),
      bodyExample: { name: 'prose' },
      replies: { 200: projectReply },
      handle: async ({ path, body, principal, caller }) =>
        await describeProject(deps, await changeProject(deps, principal, { id: path.id, name: body.name }, caller)),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/projects/:id/audit-log',
      access: scope('admin'),
      summary: 'Read the audit log of a project; its owner',
      description: 'The changes in the project and who made them, newest first.',
      parameters: { ...PAGE, ...AUDIT_FILTER },
      replies: { 200: json(paginatedSchema(auditEntrySchema), 'A page of entries.') },
      handle: ({ path, parameters: { userId, action, ...page }, principal }) =>
        getProjectAuditLog(deps, principal, path.id, page, auditFilter({ userId, action })),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/projects/:id',
      access: inPerson(scope('admin'), { tokens: 'scope' }),
      summary: 'Delete an empty project (owners only)',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal, caller }) => dropProject(deps, principal, path.id, caller),
    }),
  ];
}
