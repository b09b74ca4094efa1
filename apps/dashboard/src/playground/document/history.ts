/** Undo and redo over edits, generations and moves. */
import type { Draft } from './draft.ts';

export function canUndo(draft: Draft): boolean {
  return draft.past.length > 0;
}

export function canRedo(draft: Draft): boolean {
  return draft.future.length > 0;
}

/** Returns to the position before the last step; the draft itself when there is none. */
export function undo(draft: Draft): Draft {
  const last = draft.past.at(-1);
  if (last === undefined) return draft;
  return { ...draft, here: last, past: draft.past.slice(0, -1), future: [...draft.future, draft.here], typing: null };
}

/** Returns to the position that the last undo left; the draft itself when there is none. */
export function redo(draft: Draft): Draft {
  const next = draft.future.at(-1);
  if (next === undefined) return draft;
  return { ...draft, here: next, past: [...draft.past, draft.here], future: draft.future.slice(0, -1), typing: null };
}
