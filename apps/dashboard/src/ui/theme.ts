/** Light, dark, or as the system is: the choice of this browser, else that of the account. */
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'gptj-theme';
/** Kept here as well, so that a page has its colours before it knows its account. */
const ACCOUNT_KEY = 'gptj-account-theme';
const listeners = new Set<() => void>();

export function applyTheme(): void {
  const own = readTheme(KEY);
  const theme = own === 'system' ? readTheme(ACCOUNT_KEY) : own;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Choose the theme in this browser; `system`: as the account. */
export function setTheme(theme: Theme): void {
  storeTheme(KEY, theme);
}

/** Take the theme of the account, for where this browser has none of its own. */
export function setAccountTheme(theme: Theme): void {
  storeTheme(ACCOUNT_KEY, theme);
}

function storeTheme(key: string, theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(key);
  else localStorage.setItem(key, theme);
  applyTheme();
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => readTheme(KEY));
}

function readTheme(key: string): Theme {
  const stored = localStorage.getItem(key);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
