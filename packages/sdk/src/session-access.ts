/**
 * Access by the session of a browser. The browser keeps its cookie, which scripts cannot read; the CSRF token of its writes is
 * kept in memory alone.
 */
import type { Access } from './access.ts';
import type { Endpoint } from './connection.ts';
import { PermissionDeniedError, SessionEndedError } from './errors.ts';
import { exchange } from './exchange.ts';
import { objectAt, stringAt } from './fields.ts';

export interface SessionAccess extends Access {
  /** Learn from the reply of a sign-in, or from a reply that shows the session. */
  learn(session: SessionFacts): void;
  forget(): void;
}

export interface SessionFacts {
  readonly userId: string;
  readonly csrfToken: string;
}

const CSRF_HEADER = 'x-csrf-token';

export function createSessionAccess(): SessionAccess {
  let known: SessionFacts | null = null;
  let loading: Promise<SessionFacts> | null = null;

  /** Requests at the same time share one read. */
  async function load(endpoint: Endpoint): Promise<SessionFacts> {
    loading ??= exchange(endpoint, { method: 'GET', path: '/v2/auth/session' })
      .then((reply) => {
        known = parseFacts(reply);
        return known;
      })
      .finally(() => {
        loading = null;
      });
    return await loading;
  }

  return {
    credentials: 'include',
    async prepare(endpoint, { method, session = 'needed' }) {
      if (method === 'GET' || session === 'none' || known !== null) return;
      try {
        await load(endpoint);
      } catch (error) {
        if (!(session === 'used' && error instanceof SessionEndedError)) throw error;
      }
    },
    headersOf: ({ projectId }, { method }) => ({
      ...(known === null || method === 'GET' ? {} : { [CSRF_HEADER]: known.csrfToken }),
      ...(projectId === null ? {} : { 'x-project-id': projectId }),
    }),
    async renew(endpoint, error, sent) {
      if (error instanceof SessionEndedError) known = null;
      if (!(error instanceof PermissionDeniedError && error.code === 'csrf_token_wrong')) return false;
      const before = known;
      known = null;
      const now = await load(endpoint);
      if (before !== null && before.userId !== now.userId) {
        // Another tab has signed in: the write must not be sent in the name of the other account.
        const message = 'another account has signed in in this browser; read the session again before further writes';
        throw new SessionEndedError(message, { status: 401, code: 'session_replaced' });
      }
      return now.csrfToken !== sent[CSRF_HEADER];
    },
    learn: (session) => {
      known = session;
    },
    forget: () => {
      known = null;
    },
  };
}

function parseFacts(reply: unknown): SessionFacts {
  const raw = objectAt(reply, 'a session');
  return {
    userId: stringAt(objectAt(raw.user, 'user').id, 'user.id'),
    csrfToken: stringAt(raw.csrf_token, 'csrf_token'),
  };
}
