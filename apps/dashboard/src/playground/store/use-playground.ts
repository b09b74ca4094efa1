import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { keys } from '../../api/keys.ts';
import { announce } from '../../ui/announce.tsx';
import type { Draft } from '../document/draft.ts';
import { createBrowserPlayground } from './browser-playground.ts';
import type { PlaygroundState, PlaygroundStore } from './playground-store.ts';

/** The store of this page, which opens the last draft or the one that `make` makes, and its state. */
export function usePlayground(make: ((id: string) => Promise<Draft>) | null): {
  readonly store: PlaygroundStore;
  readonly state: PlaygroundState;
} {
  const queries = useQueryClient();
  const [store] = useState(() =>
    createBrowserPlayground((_, summary) => {
      announce(summary);
      for (const queryKey of [keys.limits, keys.runs]) queries.invalidateQueries({ queryKey }).catch(() => undefined);
    }),
  );
  useEffect(() => {
    void (make === null ? store.open() : store.openMade(make));
    const save = (): void => {
      if (document.hidden) void store.flush();
    };
    document.addEventListener('visibilitychange', save);
    return () => {
      document.removeEventListener('visibilitychange', save);
      void store.close();
    };
  }, [store, make]);
  return { store, state: useSyncExternalStore(store.subscribe, store.get) };
}
