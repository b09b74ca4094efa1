/** Typing, deleting and pasting anywhere in the text of a draft. */
import {
  type Draft,
  type DraftNode,
  emptyNode,
  type NodeId,
  nodeOf,
  pathOf,
  stepTo,
  withChild,
  withNodes,
} from './draft.ts';
import { cutPath, splitPointAfter } from './split-node.ts';

/** Replaces the text between two offsets, counted in UTF-16 units. */
export interface TextChange {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

/** Typing after a longer pause starts a step of its own. */
const MAX_TYPING_PAUSE_MS = 1000;

/**
 * The draft with changed text. Text after the change is copied below it, with its provenance; the former text stays in the
 * tree. Throws `RangeError` for offsets outside the text.
 */
export function editText(draft: Draft, change: TextChange, nowMs: number): Draft {
  const path = pathOf(draft);
  const length = path.reduce((sum, node) => sum + node.text.length, 0);
  const { start, end, insert } = change;
  if (!(start >= 0 && start <= end && end <= length)) {
    throw new RangeError(`expected a change between 0 and ${length}, got ${start} to ${end}`);
  }
  if (start === end && insert === '') return draft;
  const continued = continueTyping(draft, path, change, nowMs);
  if (continued !== null) return continued;

  const cut = cutPath(draft, path, start);
  let next = cut.draft;
  let position = cut.position;
  let typed: NodeId | null = null;
  const text = cut.fragment + insert;
  if (text !== '') {
    const added = withChild(next, { ...emptyNode('', position, 'typed'), text });
    next = added.draft;
    position = added.id;
    typed = added.id;
  }
  for (const content of tailOf(path, end)) {
    const added = withChild(next, { ...content, parent: position });
    next = added.draft;
    position = added.id;
  }
  const moved = stepTo(next, position);
  const caret = start + insert.length;
  return typed === null ? moved : { ...moved, typing: { node: typed, caret, atMs: nowMs } };
}

/** The typed node that is being typed, with the change in place; null when the change starts a step of its own. */
function continueTyping(draft: Draft, path: readonly DraftNode[], change: TextChange, nowMs: number): Draft | null {
  const { typing } = draft;
  if (typing === null || nowMs - typing.atMs > MAX_TYPING_PAUSE_MS) return null;
  if (change.start !== typing.caret && change.end !== typing.caret) return null;
  const index = path.findIndex((node) => node.id === typing.node);
  if (index < 0) return null;
  const first = path.slice(0, index).reduce((sum, node) => sum + node.text.length, 0);
  const node = nodeOf(draft, typing.node);
  if (change.start < first || change.end > first + node.text.length) return null;
  const text = node.text.slice(0, change.start - first) + change.insert + node.text.slice(change.end - first);
  const caret = change.start + change.insert.length;
  return { ...withNodes(draft, { ...node, text }), typing: { node: node.id, caret, atMs: nowMs } };
}

/** Copies of the text of a path after `end`, to hang below a change. A token that the change has cut becomes typed text. */
function tailOf(path: readonly DraftNode[], end: number): readonly Omit<DraftNode, 'id' | 'children'>[] {
  const tail: Omit<DraftNode, 'id' | 'children'>[] = [];
  let start = 0;
  for (const node of path) {
    const local = Math.max(0, end - start);
    start += node.text.length;
    if (local >= node.text.length) continue;
    const point = splitPointAfter(node, local);
    const fragment = node.text.slice(local, point.characters);
    if (fragment !== '') tail.push({ ...emptyNode('', null, 'typed'), text: fragment });
    const rest = node.text.slice(point.characters);
    if (rest === '') continue;
    const { run } = node;
    tail.push({
      ...emptyNode('', null, node.kind),
      text: rest,
      tokens: node.tokens?.slice(point.tokens) ?? null,
      isMoved: node.kind !== 'typed',
      run: run === null ? null : { ...run, from: run.from + point.tokens, stage: 'ended' },
    });
  }
  return tail;
}

/**
 * The change that turned `before` into `after`, given where the caret is now: of a repeated letter, the one before the caret
 * is taken as typed.
 */
export function changeBetween(before: string, after: string, caret: number): TextChange {
  const maxSuffix = Math.min(before.length, after.length, after.length - Math.min(caret, after.length));
  let suffix = 0;
  while (suffix < maxSuffix && before[before.length - 1 - suffix] === after[after.length - 1 - suffix]) suffix++;
  const maxPrefix = Math.min(before.length, after.length) - suffix;
  let prefix = 0;
  while (prefix < maxPrefix && before[prefix] === after[prefix]) prefix++;
  return { start: prefix, end: before.length - suffix, insert: after.slice(prefix, after.length - suffix) };
}
