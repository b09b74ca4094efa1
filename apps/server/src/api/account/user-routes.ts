/** Users: the own account, and administration by owners of the server. */
import {
  ApiError,
  auditEntrySchema,
  type PageQuery,
  paginatedSchema,
  toTimestamp,
  type UserGet,
  userAdminGetSchema,
  userAdminPatchSchema,
  userGetDetailedSchema,
  userGetSchema,
  userPatchSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { listTokens, toTokenGet } from '../../identity/api-keys/api-key-service.ts';
import { administerUser, changeProfile } from '../../identity/users/change-user.ts';
import { deleteAccount } from '../../identity/users/delete-account.ts';
import { toUserGet, type User } from '../../identity/users/user.ts';
import { getAuditLog, getUser, getUsers } from '../../identity/users/user-queries.ts';
import { type ApiRoute, inPerson, SESSION, scope, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { AUDIT_FILTER, auditFilter } from './audit-filter.ts';

const FIRST_PAGE: PageQuery<'created_at'> = {
  skip: 0,
  limit: 100,
  orderBy: { field: 'created_at', direction: 'desc' },
};

const userReply = json(userGetSchema, 'The user.');
const record = { errors: pipelineCloudErrors, tag: 'users' } as const;

/** @param countRuns the runs of the projects of each user in the last 30 days */
export function userRoutes(
  deps: AccountDeps,
  countRuns: (userIds: readonly string[]) => Promise<ReadonlyMap<string, number>>,
): readonly ApiRoute[] {
  const show = (user: User): UserGet => toUserGet(user, deps.plans);
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/users/me',
      // Every client sends this first, to check its token.
      access: scope(),
      summary: "Get the caller's account",
      replies: { 200: json(userGetDetailedSchema, 'The user, with the tokens that the caller may see.') },
      async handle({ principal, apiKey }) {
        // A token without `admin` sees no other token.
        const tokens = principal.scopes.includes('admin')
          ? (await listTokens(deps, principal, FIRST_PAGE)).data
          : apiKey === undefined
            ? []
            : [toTokenGet(apiKey, deps.clock())];
        return { ...show(await getUser(deps, principal.userId)), tokens };
      },
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/users/me',
      access: SESSION,
      summary: "Change the caller's profile",
      body: jsonBody(userPatchSchema),
      bodyExample: { username: 'ada' },
      replies: { 200: userReply },
      handle: async ({ body, signedIn: { user }, caller }) => show(await changeProfile(deps, user, body, caller)),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/users',
      access: serverOwner('list all accounts'),
      summary: 'List users',
      parameters: {
        ...PAGE,
        text: query('q', 'Part of the address or a name, ignoring case.', z.string().max(100).optional()),
        role: query('role', 'Users with this role alone.', z.enum(['owner', 'member']).optional()),
        planId: query('plan_id', 'Users whose account has this plan.', z.string().max(64).optional()),
        isDisabled: query('disabled', 'Disabled users alone, or enabled ones.', z.boolean().optional()),
      },
      replies: { 200: json(paginatedSchema(userAdminGetSchema), 'A page of users.') },
      async handle({ parameters: { text, role, planId, isDisabled, ...page } }) {
        const found = await getUsers(deps, page, {
          ...(text === undefined ? {} : { text }),
          ...(role === undefined ? {} : { role }),
          ...(planId === undefined ? {} : { planId }),
          ...(isDisabled === undefined ? {} : { isDisabled }),
        });
        const runs = await countRuns(found.data.map(({ user }) => user.id));
        return {
          ...found,
          data: found.data.map(({ user, lastSeenAt }) => ({
            ...show(user),
            last_seen: lastSeenAt === null ? null : toTimestamp(lastSeenAt),
            runs_30_days: runs.get(user.id) ?? 0,
          })),
        };
      },
    }),
    ...administrationRoutes(deps),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/audit-log',
      access: serverOwner('read the audit log'),
      summary: 'Read the audit log',
      parameters: { ...PAGE, ...AUDIT_FILTER },
      replies: { 200: json(paginatedSchema(auditEntrySchema), 'A page of entries.') },
      handle: ({ parameters: { userId, action, ...page } }) => getAuditLog(deps, page, auditFilter({ userId, action })),
    }),
  ];
}

function administrationRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/users/:id',
      access: serverOwner("see another user's account"),
      summary: 'Get a user',
      replies: { 200: userReply },
      handle: async ({ path }) => toUserGet(await getUser(deps, path.id), deps.plans),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/users/:id',
      access: inPerson(serverOwner("change another user's account"), { tokens: 'scope' }),
      summary: "Change a user's role, disable or enable an account",
      body: jsonBody(userAdminPatchSchema),
      bodyExample: { disabled: true },
      replies: { 200: userReply },
      handle: async ({ path, body, caller }) =>
        toUserGet(await administerUser(deps, path.id, body, caller), deps.plans),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/users/:id',
      access: inPerson(serverOwner("delete another user's account"), { tokens: 'scope' }),
      summary: 'Delete an account with all its data',
      replies: { 204: NO_CONTENT },
      async handle({ path, principal, caller }) {
        if (path.id === principal.userId) {
          const remedy = 'delete it with POST /v2/auth/delete-account and the password';
          throw new ApiError('conflict', { reason: 'this is your own account', remedy });
        }
        await deleteAccount(deps, path.id, caller);
      },
    }),
  ];
}
