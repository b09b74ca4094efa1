/** Commands of the palette: pages add their own while they are shown. */
import { useEffect, useSyncExternalStore } from 'react';
import type { IconName } from './icons.tsx';

export interface Command {
  readonly id: string;
  readonly label: string;
  readonly group: string;
  readonly icon?: IconName;
  readonly keys?: string;
  /** Further words that find it. */
  readonly words?: string;
  readonly run: () => void;
}

let commands: readonly Command[] = [];
const listeners = new Set<() => void>();

/** Offer commands while the component is on the page. Keep `list` in a `useMemo`. */
export function useCommands(list: readonly Command[]): void {
  useEffect(() => {
    commands = [...commands, ...list];
    notify();
    return () => {
      commands = commands.filter((command) => !list.includes(command));
      notify();
    };
  }, [list]);
}

export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore(subscribe, () => commands);
}

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
