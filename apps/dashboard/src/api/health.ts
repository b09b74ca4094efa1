/** Whether the server answers and is ready, asked every 15 s while the page is visible. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { keys } from './keys.ts';

const READY_POLL_MS = 15_000;
const LOST_POLL_MS = 4_000;

export interface Health {
  readonly state: 'unknown' | 'ready' | 'not-ready' | 'lost';
  /** The parts of the server that do not answer, when it is not ready. */
  readonly reason: string | null;
  /** When the server is asked again, in epoch milliseconds. */
  readonly nextCheckAt: number;
  readonly checkNow: () => void;
}

export function useHealth(): Health {
  const queries = useQueryClient();
  const { data, dataUpdatedAt, refetch } = useQuery({
    queryKey: keys.health,
    retry: false,
    staleTime: 0,
    queryFn: ({ signal }) => readHealth(signal),
    refetchInterval: ({ state }) => (state.data?.state === 'ready' ? READY_POLL_MS : LOST_POLL_MS),
  });
  const state = data?.state ?? 'unknown';
  const wasLost = useRef(false);
  useEffect(() => {
    // What failed while the server was away is asked again at once.
    if (state === 'ready' && wasLost.current) {
      queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'health' }).catch(() => undefined);
    }
    wasLost.current = state === 'lost';
  }, [state, queries]);
  return {
    state,
    reason: data?.reason ?? null,
    nextCheckAt: dataUpdatedAt + LOST_POLL_MS,
    checkNow: () => {
      refetch().catch(() => undefined);
    },
  };
}

async function readHealth(signal: AbortSignal): Promise<Pick<Health, 'state' | 'reason'>> {
  try {
    const reply = await fetch('/readyz', { signal, headers: { accept: 'application/json' } });
    // Read in any case: until then the request counts as open.
    const body: unknown = await reply.json().catch(() => null);
    if (reply.ok) return { state: 'ready', reason: null };
    return { state: 'not-ready', reason: reasonIn(body) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { state: 'lost', reason: null };
  }
}

/** `reasons` names the parts of the server that do not answer. */
function reasonIn(body: unknown): string | null {
  const reasons = (body as { reasons?: unknown } | null)?.reasons;
  return Array.isArray(reasons) && reasons.length > 0 ? reasons.join(', ') : null;
}
