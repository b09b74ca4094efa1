/** The ways in which the text goes on at one place: the branches that are there, and tokens that none of them begins with. */
import { goToBranch } from './branching.ts';
import {
  type Alternative,
  type Draft,
  type DraftNode,
  type DraftToken,
  type NodeId,
  nodeOf,
  type Parameters,
  pathOf,
} from './draft.ts';
import { meanLogprob } from './mean-logprob.ts';
import { headOf } from './tree-rows.ts';

export interface SeamBranch {
  readonly node: NodeId;
  /** Its first token; null for typed text and before the first token has arrived. */
  readonly first: DraftToken | null;
  /** The start of its text, on one line. */
  readonly text: string;
  /** Mean log-probability of its tokens up to its end; null without figures. */
  readonly mean: number | null;
  /** On the way from the root to the position. */
  readonly isHere: boolean;
}

export interface SeamChoices {
  readonly branches: readonly SeamBranch[];
  /** A token of a branch whose alternatives are listed in `others`; null without any. */
  readonly reported: { readonly node: NodeId; readonly token: DraftToken } | null;
  /** Reported tokens that no branch begins with, best first. */
  readonly others: readonly Alternative[];
}

/** What is at the place where `node` begins. */
export function seamChoices(draft: Draft, node: NodeId): SeamChoices {
  const siblings = siblingsOf(draft, node);
  const onPath = new Set(pathOf(draft).map(({ id }) => id));
  const branches = siblings.map((sibling): SeamBranch => {
    const branch = nodesOfBranch(draft, sibling);
    return {
      node: sibling.id,
      first: firstOf(sibling),
      text: headOf(branch),
      mean: meanLogprob(branch.flatMap(({ tokens }) => tokens ?? []))?.mean ?? null,
      isHere: onPath.has(sibling.id),
    };
  });
  const known = branches.find(({ first }) => (first?.top.length ?? 0) > 0);
  const reported = known?.first == null ? null : { node: known.node, token: known.first };
  const begun = new Set(branches.map(({ first }) => first?.id));
  return { branches, reported, others: reported?.token.top.filter(({ id }) => !begun.has(id)) ?? [] };
}

/** The newest branch that begins with a token where `node` begins; null where there is none. */
export function branchWith(draft: Draft, node: NodeId, token: number): NodeId | null {
  return siblingsOf(draft, node).findLast((sibling) => firstOf(sibling)?.id === token)?.id ?? null;
}

/** The parameters under which the tokens of a node were reported: a token that was taken comes from a run beside it. */
export function parametersOf(draft: Draft, { id, run, kind }: DraftNode): Parameters {
  if (run !== null || kind !== 'taken') return run?.parameters ?? {};
  return siblingsOf(draft, id).find((sibling) => sibling.run !== null)?.run?.parameters ?? {};
}

function siblingsOf(draft: Draft, node: NodeId): readonly DraftNode[] {
  const { parent } = nodeOf(draft, node);
  return parent === null ? [] : nodeOf(draft, parent).children.map((id) => nodeOf(draft, id));
}

/** An edit before the node has made its figures those of another context. */
function firstOf({ tokens, isMoved }: DraftNode): DraftToken | null {
  return isMoved ? null : (tokens?.[0] ?? null);
}

/** From the node to the end of its branch. */
function nodesOfBranch(draft: Draft, { id }: DraftNode): readonly DraftNode[] {
  const path = pathOf(draft, goToBranch(draft, id).here);
  return path.slice(path.findIndex((each) => each.id === id));
}
