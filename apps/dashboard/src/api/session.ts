/** The signed-in account. */
import type { ProjectGetDetailed, SessionGet } from '@gptj-cloud/protocol';
import { type QueryClient, queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { problemOf } from '../ui/problem.ts';
import { setActiveCsrfToken } from './active.ts';
import { setGate } from './gate.ts';
import { keys } from './keys.ts';
import { send } from './send.ts';

/** Other tabs of this browser share the cookie: they are notified of a sign-in or sign-out. */
const otherTabs = new BroadcastChannel('gptj-session');

/** Null: the browser is signed out. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async ({ signal }): Promise<SessionGet | null> => {
    try {
      const session = await send<SessionGet>('GET', '/v2/auth/session', { signal });
      setActiveCsrfToken(session.csrf_token);
      return session;
    } catch (error) {
      if (problemOf(error).status !== 401) throw error;
      setActiveCsrfToken(null);
      return null;
    }
  },
});

export const projectsQuery = queryOptions({
  queryKey: keys.projects,
  staleTime: 60_000,
  queryFn: async ({ signal }) =>
    (await send<{ readonly data: readonly ProjectGetDetailed[] }>('GET', '/v2/projects', { signal })).data,
});

/** The session of a page that only signed-in users see. */
export function useSession(): SessionGet {
  const session = useSuspenseQuery(sessionQuery).data;
  if (session === null) throw new Error('expected a session on this page');
  return session;
}

export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await send('POST', '/v2/auth/logout');
    setActiveCsrfToken(null);
    otherTabs.postMessage('signed-out');
    queries.clear();
    window.location.assign('/login');
  };
}

/** Keep the session of a reply to a sign-in, and let the page go on where it was. */
export function acceptSession(queries: QueryClient, session: SessionGet): void {
  setActiveCsrfToken(session.csrf_token);
  queries.setQueryData(keys.session, session);
  setGate('open');
  otherTabs.postMessage('signed-in');
  queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' }).catch(() => undefined);
}

/** Follow sign-ins and sign-outs of other tabs. Returns the function that stops it. */
export function followOtherTabs(queries: QueryClient): () => void {
  const listen = ({ data }: MessageEvent<unknown>): void => {
    if (data === 'signed-out') setGate('ended');
    if (data !== 'signed-in') return;
    queries
      .fetchQuery({ ...sessionQuery, staleTime: 0 })
      .then((session) => {
        if (session === null) return;
        setGate('open');
        return queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
      })
      .catch(() => undefined);
  };
  otherTabs.addEventListener('message', listen);
  return () => otherTabs.removeEventListener('message', listen);
}
