/** How the requests of a client prove who sends them. */
import type { Call, Endpoint } from './connection.ts';

export interface Access {
  /** The `credentials` of `fetch`; undefined leaves its default. */
  readonly credentials: RequestCredentials | undefined;
  /** Gets what the headers of a request need, by a request of its own; null where they need nothing. */
  readonly prepare: ((endpoint: Endpoint, call: Call) => Promise<void>) | null;
  headersOf(endpoint: Endpoint, call: Call): Readonly<Record<string, string>>;
  /**
   * Learn that the server has refused a request which had `sent`. Whether the same request may succeed at once, because what
   * proves the sender has been renewed.
   */
  renew(endpoint: Endpoint, error: unknown, sent: Readonly<Record<string, string>>): Promise<boolean>;
}

export function tokenAccess(token: string): Access {
  const headers = { authorization: `Bearer ${token}` };
  return {
    credentials: undefined,
    prepare: null,
    headersOf: () => headers,
    renew: async () => false,
  };
}
