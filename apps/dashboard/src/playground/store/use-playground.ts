import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { keys } from '../../api/keys.ts';
import { announce } from '../../ui/announce.tsx';
import { createBrowserPlayground } from './browser-playground.ts';
import type { PlaygroundState, PlaygroundStore } from './playground-store.ts';

/** The store of this page, which opens the last draft, and its state. */
export function usePlayground(): { readonly store: PlaygroundStore; readonly state: PlaygroundState } {
  const queries = useQueryClient();
  const [store] = useState(() =>
    createBrowserPlayground((_, summary) => {
      announce(summary);
      for (const queryKey of [keys.limits, keys.runs]) queries.invalidateQueries({ queryKey }).catch(() => undefined);
    }),
  );
  useEffect(() => {
    void store.open();
    const save = (): void => {
      if (document.hidden) void store.flush();
    };
    document.addEventListener('visibilitychange', save);
    return () => {
      document.removeEventListener('visibilitychange', save);
      void store.close();
    };
  }, [store]);
  return { store, state: useSyncExternalStore(store.subscribe, store.get) };
}
