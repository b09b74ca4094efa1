/** The signed-in account. */
import { type Session, SessionEndedError, type User } from '@gptj-cloud/sdk';
import { type QueryClient, queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { cloud } from './cloud.ts';
import { setGate } from './gate.ts';
import { keys } from './keys.ts';

/** Other tabs of this browser share the cookie: they are notified of a sign-in or sign-out. */
const otherTabs = new BroadcastChannel('gptj-session');

/** Null: the browser is signed out. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await cloud().auth.session({ signal });
    } catch (error) {
      if (error instanceof SessionEndedError) return null;
      throw error;
    }
  },
});

const MAX_PROJECTS = 100;

export const projectsQuery = queryOptions({
  queryKey: keys.projects,
  staleTime: 60_000,
  queryFn: async ({ signal }) => {
    const { items } = await cloud().projects.list({ signal, limit: MAX_PROJECTS, order: 'oldest' });
    // As for the server, the first project of a user is the oldest of the own ones.
    return items.toSorted((a, b) => Number(b.role === 'owner') - Number(a.role === 'owner'));
  },
});

/** The session of a page that only signed-in users see. */
export function useSession(): Session {
  const session = useSuspenseQuery(sessionQuery).data;
  if (session === null) throw new Error('expected a session on this page');
  return session;
}

/** Show the account as a reply has it. */
export function changeUser(queries: QueryClient, user: User): void {
  queries.setQueryData(keys.session, (session: Session | null | undefined) => session && { ...session, user });
}

export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await cloud().auth.logout();
    otherTabs.postMessage('signed-out');
    queries.clear();
    window.location.assign('/login');
  };
}

/** Keep the session of a reply to a sign-in, and let the page go on where it was. */
export async function acceptSession(queries: QueryClient, session: Session): Promise<void> {
  queries.setQueryData(keys.session, session);
  setGate('open');
  otherTabs.postMessage('signed-in');
  await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
}

/** Follow sign-ins and sign-outs of other tabs. Returns the function that stops it. */
export function followOtherTabs(queries: QueryClient): () => void {
  const readAgain = async (): Promise<void> => {
    const session = await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
    if (session === null) return;
    setGate('open');
    await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
  };
  const listen = ({ data }: MessageEvent<unknown>): void => {
    if (data === 'signed-out') setGate('ended');
    // A failure shows on the page, whose own requests fail as well.
    if (data === 'signed-in') readAgain().catch(() => undefined);
  };
  otherTabs.addEventListener('message', listen);
  return () => otherTabs.removeEventListener('message', listen);
}
