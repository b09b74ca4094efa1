/**
 * The text of a chat with a base model: one text that user and model continue in turns. Every change returns a new story, so
 * that undo and redo are lists of what was there.
 */

export interface Segment {
  readonly by: 'user' | 'model';
  readonly text: string;
}

export interface Story {
  readonly segments: readonly Segment[];
  /** Segments that undo has taken away, the last one first. */
  readonly undone: readonly Segment[];
}

export const EMPTY_STORY: Story = { segments: [], undone: [] };

export function textOf(story: Story): string {
  return story.segments.map(({ text }) => text).join('');
}

/** What was undone before is lost, as in an editor. */
export function append(story: Story, segment: Segment): Story {
  return segment.text === '' ? story : { segments: [...story.segments, segment], undone: [] };
}

/** Null where nothing is left. */
export function undo({ segments, undone }: Story): Story | null {
  const last = segments.at(-1);
  return last === undefined ? null : { segments: segments.slice(0, -1), undone: [last, ...undone] };
}

/** Null where nothing was undone. */
export function redo({ segments, undone }: Story): Story | null {
  const [next, ...rest] = undone;
  return next === undefined ? null : { segments: [...segments, next], undone: rest };
}

/** Typed text as it is appended: with a space where a word would touch another one. */
export function spaced(story: Story, typed: string): string {
  const text = textOf(story);
  return /\S$/u.test(text) && /^[\p{L}\p{N}]/u.test(typed) ? ` ${typed}` : typed;
}
