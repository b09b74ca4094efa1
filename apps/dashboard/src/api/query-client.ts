import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isConnectionLost, problemOf } from '../ui/problem.ts';
import { closeGateFor } from './gate.ts';
import { keys } from './keys.ts';

const MAX_RETRIES = 2;

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
        // A refusal does not change by repetition; a server that restarts is worth two tries.
        retry: (count, error) => count < MAX_RETRIES && (problemOf(error).status ?? 503) >= 500,
        // The browser's idea of being online says nothing about this server, which may be on the same machine.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}
