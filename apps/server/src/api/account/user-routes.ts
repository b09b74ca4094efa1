/**
 *     GET   /v2/users/me         → UserGetDetailed: what every client asks first, to see whether its token is good
 *     PATCH /v2/users/me         {username?, firstname?, lastname?, company?, job_title?} → UserGet; needs a session
 *     GET   /v2/users            ?skip&limit&order_by=created_at:desc → Paginated[UserGet]; owners of the server
 *     GET   /v2/users/{id}       → UserGet; owners of the server
 *     PATCH /v2/users/{id}       {role?, disabled?} → UserGet; owners of the server
 *     DELETE /v2/users/{id}      → 204: with everything it holds; owners of the server
 *     GET   /v2/audit-log        ?skip&limit&order_by=created_at:desc&user_id&action → Paginated[AuditEntry]; owners
 */
import {
  ApiError,
  type PageQuery,
  parsePageQuery,
  type UserGet,
  type UserGetDetailed,
  userAdminPatchSchema,
  userPatchSchema,
} from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import { listAudit } from '../../audit/audit-log.ts';
import { readSmallBody } from '../../http/small-body.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { listTokens, toTokenGet } from '../../identity/api-keys/api-key-service.ts';
import { administerUser, changeProfile } from '../../identity/users/change-user.ts';
import { deleteAccount } from '../../identity/users/delete-account.ts';
import { toUserGet, type User } from '../../identity/users/user.ts';
import { findUser, listUsers } from '../../identity/users/user-store.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf, requireSession } from '../access/signed-in.ts';

const FIRST_PAGE: PageQuery<'created_at'> = {
  skip: 0,
  limit: 100,
  orderBy: { field: 'created_at', direction: 'desc' },
};

export function userRoutes(deps: AccountDeps): Hono<AppEnv> {
  const { db, clock } = deps;
  const show = (user: User): UserGet => toUserGet(user, deps.plans);
  const mustFind = async (id: string) => {
    const user = await findUser(db, id);
    if (user === null) throw new ApiError('not_found', { kind: 'user', id: id.slice(0, 100) });
    return user;
  };
  return new Hono<AppEnv>({ strict: false })
    .get('/v2/users/me', async (c) => {
      const principal = c.get('principal');
      const key = c.get('apiKey');
      // A token without `admin` learns of no other.
      const tokens = principal.scopes.includes('admin')
        ? (await listTokens(deps, principal, FIRST_PAGE)).data
        : key === undefined
          ? []
          : [toTokenGet(key, clock())];
      const user: UserGetDetailed = { ...show(await mustFind(principal.userId)), tokens };
      return c.json(user);
    })
    .patch('/v2/users/me', async (c) => {
      const { user } = requireSession(c);
      return c.json(show(await changeProfile(deps, user, await readSmallBody(c, userPatchSchema), callerOf(c))));
    })
    .get('/v2/users', async (c) => {
      requireOwner(c, "see everybody's account");
      const page = pageOf(c);
      const { total, users } = await listUsers(db, page);
      return c.json({ skip: page.skip, limit: page.limit, total, data: users.map(show) });
    })
    .get('/v2/users/:id', async (c) => {
      requireOwner(c, "see another's account");
      return c.json(show(await mustFind(c.req.param('id'))));
    })
    .patch('/v2/users/:id', async (c) => {
      requireOwner(c, "change another's account");
      const patch = await readSmallBody(c, userAdminPatchSchema);
      return c.json(show(await administerUser(deps, c.req.param('id'), patch, callerOf(c))));
    })
    .delete('/v2/users/:id', async (c) => {
      requireOwner(c, "delete another's account");
      const id = c.req.param('id');
      if (id === c.get('principal').userId) {
        const remedy = 'delete it with POST /v2/auth/delete-account and the password';
        throw new ApiError('conflict', { reason: 'this is your own account', remedy });
      }
      await deleteAccount(deps, id, callerOf(c));
      return c.body(null, 204);
    })
    .get('/v2/audit-log', async (c) => {
      requireOwner(c, 'read the audit log');
      const { user_id: userId = '', action = '' } = c.req.query();
      const filter = { ...(userId === '' ? {} : { userId }), ...(action === '' ? {} : { action }) };
      return c.json(await listAudit(db, pageOf(c), filter));
    });
}

function pageOf(c: Context<AppEnv>): PageQuery<'created_at'> {
  const { skip, limit, order_by: orderBy } = c.req.query();
  return parsePageQuery({ skip, limit, orderBy }, ['created_at']);
}

function requireOwner(c: Context<AppEnv>, action: string): void {
  if (c.get('principal').role !== 'owner') throw new ApiError('owner_required', { action });
}
