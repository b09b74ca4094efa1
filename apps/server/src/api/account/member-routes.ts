/** Members of projects and invitations to them. */
import { invitationCreateSchema, invitationGetSchema, memberCreateSchema, memberGetSchema } from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import { json, listSchema, NO_CONTENT } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { getInvitations, getMembers, getOwnInvitations } from '../../identity/projects/project-queries.ts';
import {
  answerInvitation,
  getProject,
  inviteToProject,
  removeProjectMember,
  withdrawInvitation,
} from '../../identity/projects/project-service.ts';
import { type ApiRoute, inPerson, SESSION, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

const membersReply = json(listSchema(memberGetSchema), 'The members.');
const invitationsReply = json(listSchema(invitationGetSchema), 'The open invitations.');
const record = { errors: pipelineCloudErrors, tag: 'projects' } as const;

export function memberRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/projects/:id/members',
      access: scope('read'),
      summary: 'List members',
      replies: { 200: membersReply },
      handle: async ({ path, principal }) => await getMembers(deps, (await getProject(deps, principal, path.id)).id),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/projects/:id/members',
      access: inPerson(scope('admin'), { tokens: 'confirm' }),
      summary: 'Invite by username (project owners only)',
      description:
        'The account becomes a member when it accepts. The reply is the same when no account has the username.',
      body: jsonBody(memberCreateSchema),
      bodyExample: { username: 'grace' },
      replies: { 202: invitationsReply },
      async handle({ path, body: invited, principal, caller }) {
        await inviteToProject(deps, principal, { projectId: path.id, invited }, caller);
        return await getInvitations(deps, path.id);
      },
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/projects/:id/members/:user',
      access: inPerson(scope('admin'), { tokens: 'scope' }),
      summary: 'Remove a member, or leave',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal, caller }) =>
        removeProjectMember(deps, principal, { projectId: path.id, userId: path.user }, caller),
    }),
    ...invitationRoutes(deps),
  ];
}

function invitationRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/projects/:id/invitations',
      access: scope('read'),
      summary: 'List invitations',
      replies: { 200: invitationsReply },
      handle: async ({ path, principal }) =>
        await getInvitations(deps, (await getProject(deps, principal, path.id)).id),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/projects/:id/invitations',
      access: inPerson(scope('admin'), { tokens: 'confirm' }),
      summary: 'Invite by e-mail (project owners only)',
      body: jsonBody(invitationCreateSchema),
      bodyExample: { email: 'grace@example.org' },
      replies: { 201: invitationsReply },
      async handle({ path, body, principal, caller }) {
        await inviteToProject(deps, principal, { projectId: path.id, invited: body }, caller);
        return await getInvitations(deps, path.id);
      },
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/projects/:id/invitations/:invitation',
      access: scope('admin'),
      summary: 'Withdraw an invitation (project owners only)',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal, caller }) =>
        withdrawInvitation(deps, principal, { projectId: path.id, id: path.invitation }, caller),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/invitations',
      access: SESSION,
      summary: "List the invitations to the caller's address and username",
      replies: { 200: invitationsReply },
      handle: ({ signedIn: { user } }) => getOwnInvitations(deps, user),
    }),
    ...(
      [
        ['accept', 'Accept an invitation'],
        ['decline', 'Decline an invitation'],
      ] as const
    ).map(([answer, summary]) =>
      defineRoute({
        ...record,
        method: 'post',
        path: `/v2/invitations/:id/${answer}`,
        access: SESSION,
        summary,
        replies: { 204: NO_CONTENT },
        handle: ({ path, signedIn: { user }, caller }) =>
          answerInvitation(deps, user, { id: path.id, accept: answer === 'accept' }, caller),
      }),
    ),
  ];
}
