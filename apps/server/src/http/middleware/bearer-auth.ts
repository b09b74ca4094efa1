import { ApiError } from '@gptj-cloud/protocol';
import type { MiddlewareHandler } from 'hono';
import type { FoundApiKey } from '../../api-keys/api-key-store.ts';
import type { AppEnv } from '../app-env.ts';

/** Addresses anybody may ask. Everything else needs a token. */
export const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/', '/healthz', '/readyz', '/v2/status']);

/** Let a request pass with `Authorization: Bearer <token>` of a known key. Throws `token_missing`, `token_unknown`. */
export function bearerAuth(findKey: (token: string) => Promise<FoundApiKey | null>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (!isPublic(c.req.path)) {
      const [, token] = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(c.req.header('authorization') ?? '') ?? [];
      if (token === undefined) throw new ApiError('token_missing');
      const found = await findKey(token);
      if (found === null) throw new ApiError('token_unknown');
      c.set('apiKey', found.key);
      c.set('principal', found.principal);
    }
    await next();
  };
}

/** With and without the trailing slash, as the routes answer. */
function isPublic(path: string): boolean {
  return PUBLIC_PATHS.has(path) || (path.endsWith('/') && PUBLIC_PATHS.has(path.slice(0, -1)));
}
