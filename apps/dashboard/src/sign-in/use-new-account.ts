import type { Session } from '@gptj-cloud/sdk';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { cloud } from '../api/cloud.ts';
import { acceptSession } from '../api/session.ts';

/** Signs in to an account that was just created, and opens Home, which then makes its first token. */
export function useNewAccount(): (account: { readonly username: string; readonly password: string }) => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async ({ username, password }) => {
    const session: Session = await cloud().auth.login({ login: username, password });
    await acceptSession(queries, session);
    await navigate({ to: '/', state: { isNewAccount: true } });
  };
}

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The account was created a moment ago. */
    readonly isNewAccount?: boolean;
  }
}
