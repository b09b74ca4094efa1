/** Keys of the page: one listener, and a list of all keys in use for the help. */
import { useEffect, useSyncExternalStore } from 'react';
import { matchKeys, pressOf } from './shortcut-keys.ts';

export interface Shortcut {
  /** `mod+k`, `?`, `g h`: `mod` is Command on a Mac and Control elsewhere, a space separates two keys in a row. */
  readonly keys: string;
  /** For the help; none: not listed. */
  readonly label?: string;
  readonly group?: string;
  /** Also while a text field has the focus. Default: only for keys with `mod` or `alt`. */
  readonly inFields?: boolean;
  readonly run: (event: KeyboardEvent) => void;
}

const SEQUENCE_MS = 1_000;
const SINGLE_KEYS = 'gptj-single-keys';

let active: readonly Shortcut[] = [];
const listeners = new Set<() => void>();
let first = '';
let firstAt = 0;

/** Bind keys while the component is on the page. Later bindings take precedence. Keep `shortcuts` in a `useMemo`. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    active = [...active, ...shortcuts];
    notify();
    return () => {
      active = active.filter((shortcut) => !shortcuts.includes(shortcut));
      notify();
    };
  }, [shortcuts]);
}

/** All keys that work now, in the order in which they were bound. */
export function useActiveShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(subscribe, () => active);
}

/** Keys without a modifier can be switched off (WCAG 2.1.4): they would act on dictated words. */
function areSingleKeysOn(): boolean {
  return localStorage.getItem(SINGLE_KEYS) !== 'off';
}

export function setSingleKeys(on: boolean): void {
  localStorage.setItem(SINGLE_KEYS, on ? 'on' : 'off');
  notify();
}

export function useSingleKeys(): boolean {
  return useSyncExternalStore(subscribe, areSingleKeysOn);
}

/** Start listening. Returns the function that stops it. */
export function listenForShortcuts(): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const press = pressOf(event);
    if (press === '') return;
    const isSingle = !press.includes('mod+') && !press.includes('alt+');
    if (isSingle && (isField(event.target) || isInOverlay(event.target) || !areSingleKeysOn())) {
      if (!active.some((shortcut) => shortcut.inFields && shortcut.keys === press)) return;
    }
    const sequence = event.timeStamp - firstAt < SEQUENCE_MS ? first : '';
    const found = active.findLast(
      ({ keys, inFields }) => matchKeys(keys, sequence, press) && (!isSingle || inFields || !isField(event.target)),
    );
    first = found === undefined ? press : '';
    firstAt = event.timeStamp;
    if (found === undefined) return;
    event.preventDefault();
    found.run(event);
  };
  window.addEventListener('keydown', listen);
  return () => window.removeEventListener('keydown', listen);
}

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio]), textarea, select');
}

function isInOverlay(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role=dialog], [role=alertdialog], [role=menu]') !== null;
}

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
