/** Splits a node without changing the text of any position. */
import { type Draft, type DraftNode, isOpen, type NodeId, nodeOf, withNodes } from './draft.ts';

/** A draft in which `position` and then `fragment` make up the text before some offset. */
interface Cut {
  readonly draft: Draft;
  readonly position: NodeId;
  /** Text between the last token that ends before the offset, and the offset. */
  readonly fragment: string;
}

/** Where to split a node: the number of characters, and of tokens when it has them, of its first part. */
export interface SplitPoint {
  readonly characters: number;
  readonly tokens: number;
}

/**
 * Move what is before `point` into a new node above. The node keeps its id, its end and its children; returns the id of
 * the new node.
 */
export function splitNode(draft: Draft, id: NodeId, point: SplitPoint): { draft: Draft; first: NodeId } {
  const node = nodeOf(draft, id);
  if (node.parent === null) throw new RangeError('expected a node below the root, which is empty');
  const firstId = `n${draft.idCount}`;
  const { run, tokens } = node;
  const first: DraftNode = {
    ...node,
    id: firstId,
    children: [id],
    text: node.text.slice(0, point.characters),
    tokens: tokens?.slice(0, point.tokens) ?? null,
    run: run === null ? null : { ...run, stage: 'ended', finish: null },
    isStarred: false,
    name: null,
  };
  const last: DraftNode = {
    ...node,
    parent: firstId,
    text: node.text.slice(point.characters),
    tokens: tokens?.slice(point.tokens) ?? null,
    run: run === null ? null : { ...run, from: run.from + point.tokens },
  };
  const parent = nodeOf(draft, node.parent);
  const grown = { ...parent, children: parent.children.map((child) => (child === id ? firstId : child)) };
  return { draft: { ...withNodes(draft, grown, first, last), idCount: draft.idCount + 1 }, first: firstId };
}

/**
 * The largest split point of a node at most `offset` characters into it. Tokens without text of their own belong to the
 * character that follows them, so that a split never separates the tokens of one character.
 */
function splitPointBefore(node: DraftNode, offset: number): SplitPoint {
  if (node.tokens === null) return { characters: offset, tokens: 0 };
  let point: SplitPoint = { characters: 0, tokens: 0 };
  let characters = 0;
  for (const [at, token] of node.tokens.entries()) {
    characters += token.text.length;
    if (characters > offset) break;
    if (token.text !== '') point = { characters, tokens: at + 1 };
  }
  return point;
}

/** The smallest split point of a node at least `offset` characters into it. */
export function splitPointAfter(node: DraftNode, offset: number): SplitPoint {
  if (node.tokens === null || offset === 0) return { characters: offset, tokens: 0 };
  let characters = 0;
  for (const [at, token] of node.tokens.entries()) {
    characters += token.text.length;
    if (characters >= offset) return { characters, tokens: at + 1 };
  }
  return { characters: node.text.length, tokens: node.tokens.length };
}

/** Split the path so that a position ends at `offset` characters, or at the last token before it. */
export function cutPath(draft: Draft, path: readonly DraftNode[], offset: number): Cut {
  let start = 0;
  for (const node of path) {
    const local = offset - start;
    start += node.text.length;
    if (local > node.text.length) continue;
    // Below a node that receives tokens nothing may stand: what it has so far becomes a node of its own.
    if (local === node.text.length && !isOpen(node)) return { draft, position: node.id, fragment: '' };
    const point = splitPointBefore(node, local);
    const fragment = node.text.slice(point.characters, local);
    if (point.characters === 0 && node.parent !== null) return { draft, position: node.parent, fragment };
    const split = splitNode(draft, node.id, point);
    return { draft: split.draft, position: split.first, fragment };
  }
  throw new RangeError(`expected an offset of at most ${start}, got ${offset}`);
}
