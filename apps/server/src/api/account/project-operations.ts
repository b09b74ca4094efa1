import {
  invitationCreateSchema,
  invitationGetSchema,
  memberCreateSchema,
  memberGetSchema,
  paginatedSchema,
  projectCreateSchema,
  projectGetDetailedSchema,
  projectPatchSchema,
} from '@gptj-cloud/protocol';
import {
  type Access,
  json,
  listSchema,
  NO_CONTENT,
  type Operation,
  PAGE,
  type Reply,
} from '../../http/openapi/operation.ts';

function project(method: Operation['method'], path: string, summary: string, rest: Partial<Operation> = {}): Operation {
  const access: Access = 'token';
  return { method, path, tag: 'projects', summary, access, replies: { 204: NO_CONTENT }, ...rest };
}

const one: Reply = json(projectGetDetailedSchema, 'The project.');
const members: Reply = json(listSchema(memberGetSchema), 'The members.');
const invitations: Reply = json(listSchema(invitationGetSchema), 'The invitations that nobody has answered.');

export const PROJECT_OPERATIONS: readonly Operation[] = [
  project('post', '/v2/projects', 'Make a project', {
    access: 'session',
    body: [{ schema: projectCreateSchema }],
    replies: { 201: one },
  }),
  project('get', '/v2/projects', 'List projects', {
    parameters: PAGE,
    replies: { 200: json(paginatedSchema(projectGetDetailedSchema), 'A page of projects.') },
  }),
  project('get', '/v2/projects/:id', 'Look at a project', { replies: { 200: one } }),
  project('patch', '/v2/projects/:id', 'Rename a project', {
    body: [{ schema: projectPatchSchema }],
    replies: { 200: one },
  }),
  project('delete', '/v2/projects/:id', 'Delete a project that holds nothing'),
  project('get', '/v2/projects/:id/members', 'List members', { replies: { 200: members } }),
  project('post', '/v2/projects/:id/members', 'Add a member', {
    body: [{ schema: memberCreateSchema }],
    replies: { 201: members },
  }),
  project('delete', '/v2/projects/:id/members/:user', 'Remove a member, or leave'),
  project('get', '/v2/projects/:id/invitations', 'List invitations', { replies: { 200: invitations } }),
  project('post', '/v2/projects/:id/invitations', 'Invite by e-mail', {
    body: [{ schema: invitationCreateSchema }],
    replies: { 201: invitations },
  }),
  project('delete', '/v2/projects/:id/invitations/:invitation', 'Withdraw an invitation'),
  project('get', '/v2/invitations', 'List the invitations to oneself', {
    access: 'session',
    replies: { 200: invitations },
  }),
  project('post', '/v2/invitations/:id/accept', 'Accept an invitation', { access: 'session' }),
  project('post', '/v2/invitations/:id/decline', 'Decline an invitation', { access: 'session' }),
];
