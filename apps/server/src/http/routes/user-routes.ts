import { toTimestamp, type UserGetDetailed } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import type { AppEnv } from '../app-env.ts';

/** `GET /v2/users/me`: what every client asks first, to see whether its token is good. */
export function userRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false }).get('/v2/users/me', (c) => {
    const key = c.get('apiKey');
    // One owner until there are accounts. The token's value is not known here: only its hash is kept.
    const user: UserGetDetailed = {
      id: 'user_00000000000000000000000000000000',
      email: 'owner@localhost',
      username: 'owner',
      verified: true,
      subscribed: false,
      onboarded: true,
      tokens:
        key === undefined
          ? []
          : [
              {
                id: key.id,
                value: '••••••••',
                name: key.name,
                created_at: toTimestamp(key.createdAt),
                updated_at: toTimestamp(key.updatedAt),
                is_active: true,
                is_enabled: key.isEnabled,
              },
            ],
    };
    return c.json(user);
  });
}
