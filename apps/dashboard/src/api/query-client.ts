import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isConnectionLost } from '../ui/problem.ts';
import { closeGateFor } from './gate.ts';
import { keys } from './keys.ts';

/** One cache for the page. Errors of the session close the gate, lost connections check the server's health. */
export function createQueryClient(): QueryClient {
  const report = (error: unknown): void => {
    closeGateFor(error);
    if (isConnectionLost(error)) client.invalidateQueries({ queryKey: keys.health }).catch(() => undefined);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: report }),
    mutationCache: new MutationCache({ onError: report }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // The client repeats what a repetition may mend: a lost connection, 429 and 503.
        retry: false,
        // The browser's idea of being online says nothing about this server, which may be on the same machine.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}
