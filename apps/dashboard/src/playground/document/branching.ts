/** Siblings, bookmarks and branches of a draft. */
import { isPartLabel } from './align-text.ts';
import {
  type Alternative,
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
import { firstOf } from './generation.ts';
import { meanLogprob } from './mean-logprob.ts';
import { splitNode } from './split-node.ts';

/** A place on the path where the text goes on in several ways. */
export interface Seam {
  /** The node of the path that begins here. */
  readonly node: NodeId;
  /** Offset in the text. */
  readonly offset: number;
  /** Position among its siblings, from 0. */
  readonly index: number;
  readonly count: number;
  /** Mean log-probability of the node's tokens; null without figures, and while they arrive. */
  readonly mean: number | null;
}

export function seamsOf(draft: Draft): readonly Seam[] {
  const seams: Seam[] = [];
  let offset = 0;
  for (const node of pathOf(draft)) {
    if (node.parent !== null) {
      const { children } = nodeOf(draft, node.parent);
      if (children.length > 1) {
        const isArriving = node.run !== null && node.run.stage !== 'ended';
        const mean = isArriving ? null : (meanLogprob(node.tokens ?? [])?.mean ?? null);
        seams.push({ node: node.id, offset, index: children.indexOf(node.id), count: children.length, mean });
      }
    }
    offset += node.text.length;
  }
  return seams;
}

/** The sibling `step` places after a node, from the last to the first; the node itself when it has none. */
export function siblingOf(draft: Draft, id: NodeId, step: number): NodeId {
  const { parent } = nodeOf(draft, id);
  if (parent === null) return id;
  const { children } = nodeOf(draft, parent);
  const index = (children.indexOf(id) + step + children.length * Math.abs(step)) % children.length;
  return children[index] ?? id;
}

/** Go to the end of a branch: the last node below `id`, by the newest child at each fork. */
export function goToBranch(draft: Draft, id: NodeId): Draft {
  let end = nodeOf(draft, id);
  for (let child = end.children.at(-1); child !== undefined; child = end.children.at(-1)) end = nodeOf(draft, child);
  return stepTo(draft, end.id);
}

/** The node below which the last generation of the path began, with that generation; null when there is none. */
export function retryPointOf(draft: Draft): { readonly parent: NodeId; readonly generated: DraftNode } | null {
  const generated = pathOf(draft).findLast((node) => node.kind === 'generated' && node.run !== null);
  if (generated === undefined) return null;
  const { parent } = nodeOf(draft, firstOf(draft, generated.id));
  return parent === null ? null : { parent, generated };
}

/**
 * Go on with another token than the one that was drawn: the tokens before it stay exactly as they are, and the alternative
 * becomes a sibling of the rest. Throws `RangeError` for a token that the node does not have.
 */
export function takeAlternative(draft: Draft, id: NodeId, at: number, taken: Alternative): Draft {
  const node = nodeOf(draft, id);
  const drawn = node.tokens?.[at];
  if (drawn === undefined) throw new RangeError(`expected a token of node ${id}, got number ${at}`);
  let next = draft;
  let parent = node.parent;
  if (at > 0) {
    const characters = (node.tokens ?? []).slice(0, at).reduce((sum, token) => sum + token.text.length, 0);
    const split = splitNode(draft, id, { characters, tokens: at });
    next = split.draft;
    parent = split.first;
  }
  const text = isPartLabel(taken.label) ? '' : taken.label;
  const { id: token, label, logprob, processed } = taken;
  const tokens = [{ id: token, text, label, logprob, ...(processed !== undefined && { processed }), top: drawn.top }];
  const added = withChild(next, { ...emptyNode('', parent, 'taken'), text, tokens });
  return stepTo(added.draft, added.id);
}

export function renameNode(draft: Draft, id: NodeId, name: string | null): Draft {
  return withNodes(draft, { ...nodeOf(draft, id), name });
}

export function starNode(draft: Draft, id: NodeId, isStarred: boolean): Draft {
  return withNodes(draft, { ...nodeOf(draft, id), isStarred });
}

/**
 * Remove a node and everything below it, also from the history. A position that was removed becomes the parent. Throws
 * `RangeError` for the root.
 */
export function deleteNode(draft: Draft, id: NodeId): Draft {
  const { parent } = nodeOf(draft, id);
  if (parent === null) throw new RangeError('expected a node below the root: the root cannot be deleted');
  const nodes = new Map(draft.nodes);
  const removed = [id];
  for (const each of removed) {
    removed.push(...(nodes.get(each)?.children ?? []));
    nodes.delete(each);
  }
  const above = nodeOf(draft, parent);
  nodes.set(parent, { ...above, children: above.children.filter((child) => child !== id) });
  const stays = (position: NodeId): boolean => nodes.has(position);
  const here = stays(draft.here) ? draft.here : parent;
  return {
    ...draft,
    nodes,
    here,
    past: withoutRepeats(draft.past.filter(stays), here),
    future: withoutRepeats(draft.future.filter(stays), here),
    typing: null,
  };
}

/** A step from a position to itself would be an undo that does nothing. */
function withoutRepeats(positions: readonly NodeId[], here: NodeId): readonly NodeId[] {
  return positions.filter((id, at) => id !== (positions[at + 1] ?? here));
}
