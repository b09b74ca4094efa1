/** Single keys that walk the rows of a grid, as in a mail program. */
import { type RefObject, useEffectEvent, useMemo } from 'react';
import { type Shortcut, useShortcuts } from './shortcuts.ts';

const GROUP = 'Rows of the table';

/** @param onSelect toggles the row of an id; none: rows cannot be selected */
export function useRowKeys(grid: RefObject<HTMLElement | null>, onSelect: ((id: string) => void) | null): void {
  const select = useEffectEvent((id: string) => onSelect?.(id));
  const canSelect = onSelect !== null;
  const shortcuts = useMemo((): readonly Shortcut[] => {
    const walk: readonly Shortcut[] = [
      { keys: 'j', label: 'Next row', group: GROUP, run: () => step(grid.current, 'ArrowDown') },
      { keys: 'k', label: 'Previous row', group: GROUP, run: () => step(grid.current, 'ArrowUp') },
    ];
    if (!canSelect) return walk;
    const toggle = (): void => {
      const id = focusedRow(grid.current)?.dataset.key;
      if (id !== undefined) select(id);
    };
    return [...walk, { keys: 'x', label: 'Select the row', group: GROUP, run: toggle }];
  }, [grid, canSelect]);
  useShortcuts(shortcuts);
}

/** The keys of the grid itself do the step. Its first press comes to the row that had the focus last, or to the first. */
function step(grid: HTMLElement | null, key: 'ArrowDown' | 'ArrowUp'): void {
  const row = focusedRow(grid);
  if (row === null) grid?.focus();
  else document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

function focusedRow(grid: HTMLElement | null): HTMLElement | null {
  const { activeElement } = document;
  return grid?.contains(activeElement) ? (activeElement?.closest<HTMLElement>('[role=row]') ?? null) : null;
}
