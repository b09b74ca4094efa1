import type { ApiKey } from '../api-keys/api-key.ts';

/** What middleware leaves for the routes. */
export interface AppEnv {
  Variables: {
    requestId: string;
    /** Set on every route behind `bearerAuth`. */
    apiKey: ApiKey;
  };
}
