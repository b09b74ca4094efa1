import type { Principal } from '../accounts/principal.ts';
import type { ApiKey } from '../api-keys/api-key.ts';

/** What middleware leaves for the routes. */
export interface AppEnv {
  Variables: {
    requestId: string;
    /** Who is asking. Set on every guarded route. */
    principal: Principal;
    /** Set on every guarded route that was asked with an API token. */
    apiKey: ApiKey | undefined;
  };
}
