/**
 *     GET   /v2/users/me         → UserGetDetailed: what every client asks first, to see whether its token is good
 *     PATCH /v2/users/me         {username?, firstname?, lastname?, company?, job_title?} → UserGet; needs a session
 *     GET   /v2/users            ?skip&limit&order_by=created_at:desc → Paginated[UserGet]; owners of the server
 *     GET   /v2/users/{id}       → UserGet; owners of the server
 *     PATCH /v2/users/{id}       {role} → UserGet; owners of the server
 *     GET   /v2/audit-log        ?skip&limit&order_by=created_at:desc&user_id&action → Paginated[AuditEntry]; owners
 */
import {
  ApiError,
  type PageQuery,
  parsePageQuery,
  type UserGetDetailed,
  userPatchSchema,
  userRolePatchSchema,
} from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import type { AccountDeps } from '../../accounts/account-deps.ts';
import { changeProfile, changeRole } from '../../accounts/change-user.ts';
import { toUserGet } from '../../accounts/user.ts';
import { findUser, listUsers } from '../../accounts/user-store.ts';
import { listTokens, toTokenGet } from '../../api-keys/api-key-service.ts';
import { listAudit } from '../../audit/audit-log.ts';
import type { AppEnv } from '../app-env.ts';
import { callerOf, requireSession } from '../middleware/signed-in.ts';
import { readSmallBody } from '../small-body.ts';

const FIRST_PAGE: PageQuery<'created_at'> = {
  skip: 0,
  limit: 100,
  orderBy: { field: 'created_at', direction: 'desc' },
};

export function userRoutes(deps: AccountDeps): Hono<AppEnv> {
  const { db, clock } = deps;
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
      const user: UserGetDetailed = { ...toUserGet(await mustFind(principal.userId)), tokens };
      return c.json(user);
    })
    .patch('/v2/users/me', async (c) => {
      const { user } = requireSession(c);
      return c.json(toUserGet(await changeProfile(deps, user, await readSmallBody(c, userPatchSchema), callerOf(c))));
    })
    .get('/v2/users', async (c) => {
      requireOwner(c, "see everybody's account");
      const page = pageOf(c);
      const { total, users } = await listUsers(db, page);
      return c.json({ skip: page.skip, limit: page.limit, total, data: users.map(toUserGet) });
    })
    .get('/v2/users/:id', async (c) => {
      requireOwner(c, "see another's account");
      return c.json(toUserGet(await mustFind(c.req.param('id'))));
    })
    .patch('/v2/users/:id', async (c) => {
      requireOwner(c, 'change roles');
      const { role } = await readSmallBody(c, userRolePatchSchema);
      return c.json(toUserGet(await changeRole(deps, { id: c.req.param('id'), role }, callerOf(c))));
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
