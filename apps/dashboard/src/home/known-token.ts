/** The API token that was made on this page: its value is in the memory of this tab only, until the page is left. */
import type { ApiToken } from '@gptj-cloud/sdk';
import { useSyncExternalStore } from 'react';

let known: ApiToken | null = null;
const listeners = new Set<() => void>();

export function setKnownToken(token: ApiToken | null): void {
  known = token;
  for (const listener of listeners) listener();
}

export function useKnownToken(): ApiToken | null {
  return useSyncExternalStore(subscribe, () => known);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
