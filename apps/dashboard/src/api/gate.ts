/** What keeps the user from going on: the shell shows a dialog or a page for it. */
import { SessionEndedError } from '@gptj-cloud/sdk';
import { useSyncExternalStore } from 'react';
import { problemOf } from '../ui/problem.ts';

/** `ended`: sign in again over the page. `unverified`: confirm the address first. `disabled`: an owner disabled the account. */
export type Gate = 'open' | 'ended' | 'unverified' | 'disabled';

let gate: Gate = 'open';
const listeners = new Set<() => void>();

export function setGate(next: Gate): void {
  if (next === gate) return;
  gate = next;
  for (const listener of listeners) listener();
}

/** Close the gate when `error` says that the session is not accepted; every query and mutation reports its errors here. */
export function closeGateFor(error: unknown): void {
  const { code } = problemOf(error);
  if (error instanceof SessionEndedError) setGate('ended');
  if (code === 'email_unverified') setGate('unverified');
  if (code === 'account_disabled') setGate('disabled');
}

export function useGate(): Gate {
  return useSyncExternalStore(subscribe, () => gate);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
