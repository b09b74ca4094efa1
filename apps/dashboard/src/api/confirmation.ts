/** Changes that need the user to be there in person: the shell asks for the password when the server does. */
import { useSyncExternalStore } from 'react';
import { problemOf } from '../ui/problem.ts';

/** A question that waits for its answer: whether the user has confirmed. */
type Answer = (isConfirmed: boolean) => void;

let waiting: readonly Answer[] = [];
const listeners = new Set<() => void>();

/**
 * Send a request; if the server wants a recent confirmation, ask for it and send the request again. The result is that of
 * the request: `confirmed(() => cloud().tokens.create(token))`. Throws when the user does not confirm.
 */
export async function confirmed<Value>(request: () => Promise<Value>): Promise<Value> {
  try {
    return await request();
  } catch (error) {
    if (problemOf(error).code !== 'confirmation_required') throw error;
  }
  const isConfirmed = await new Promise<boolean>((resolve) => {
    set([...waiting, resolve]);
  });
  if (!isConfirmed) throw new Error('Nothing was changed, because the password was not confirmed.');
  return await request();
}

/** One confirmation is for all requests that wait. */
export function answerConfirmation(isConfirmed: boolean): void {
  const answers = waiting;
  set([]);
  for (const answer of answers) answer(isConfirmed);
}

export function useIsConfirmationWanted(): boolean {
  return useSyncExternalStore(subscribe, () => waiting.length > 0);
}

function set(next: readonly Answer[]): void {
  waiting = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
