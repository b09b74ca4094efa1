/**
 * API tokens of the asking user in the present project; they need the scope `admin` or a session.
 *
 *     POST   /v2/tokens        {name?, type? | scopes?, expires_at?} → 201 TokenGet with the whole value, this once
 *     GET    /v2/tokens        ?skip&limit&order_by=created_at:desc → Paginated[TokenGet]
 *     GET    /v2/tokens/{id}   → TokenGet
 *     PATCH  /v2/tokens/{id}   {name?, is_enabled?, expires_at?} → TokenGet
 *     DELETE /v2/tokens/{id}   → 204
 */
import { parsePageQuery, tokenCreateSchema, tokenPatchSchema } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { readSmallBody } from '../../http/small-body.ts';
import type { StoreDeps } from '../../identity/account-deps.ts';
import {
  changeToken,
  createToken,
  deleteToken,
  getToken,
  listTokens,
} from '../../identity/api-keys/api-key-service.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf } from '../access/signed-in.ts';

export function tokenRoutes(deps: StoreDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/tokens', async (c) => {
      const request = await readSmallBody(c, tokenCreateSchema);
      return c.json(await createToken(deps, c.get('principal'), request, callerOf(c)), 201);
    })
    .get('/v2/tokens', async (c) => {
      const { skip, limit, order_by: orderBy } = c.req.query();
      const page = parsePageQuery({ skip, limit, orderBy }, ['created_at']);
      return c.json(await listTokens(deps, c.get('principal'), page));
    })
    .get('/v2/tokens/:id', async (c) => c.json(await getToken(deps, c.get('principal'), c.req.param('id'))))
    .patch('/v2/tokens/:id', async (c) => {
      const patch = await readSmallBody(c, tokenPatchSchema);
      const change = { id: c.req.param('id'), patch };
      return c.json(await changeToken(deps, c.get('principal'), change, callerOf(c)));
    })
    .delete('/v2/tokens/:id', async (c) => {
      await deleteToken(deps, c.get('principal'), c.req.param('id'), callerOf(c));
      return c.body(null, 204);
    });
}
