/**
 * The document of the playground: a tree of texts, and a position in it. The text that is shown is the path from the root to
 * the position.
 *
 * Invariants:
 * - A draft and its nodes are never changed in place; every function returns a new draft.
 * - The root is empty.
 * - The text of a node with tokens is the concatenation of their texts.
 * - A node that still receives tokens has no children, so that what is below a node never moves.
 * - The text up to a node changes only while that node receives tokens or is being typed. Positions of the history therefore
 *   stay valid: splitting a node gives a new id to its first part, and the last part keeps the old one.
 * - Only `deleteNode` removes text.
 */
export type NodeId = string;

/** Parameters of `generate` under their wire names, as the server accepts them. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface Alternative {
  readonly id: number;
  readonly label: string;
  readonly logprob: number | null;
  /** After the parameters of the run; null: they forbid it, undefined: not known. */
  readonly processed?: number | null;
}

/** Id of a token that carries text whose tokens the server has not sent. It is never part of a prompt. */
export const UNKNOWN_TOKEN = -1;

export interface DraftToken {
  readonly id: number;
  /** What this token adds to the text: nothing for an incomplete character, an end-of-text token or a trimmed stop string. */
  readonly text: string;
  /** The token's own text as the server writes it; null when the server has sent ids alone. */
  readonly label: string | null;
  readonly logprob: number | null;
  /** After the parameters of the run; null: they forbid it, undefined: not known. */
  readonly processed?: number | null;
  readonly top: readonly Alternative[];
}

/**
 * `open` receives tokens; `void` is open as well, and its text is discarded with the next token, because the server has started
 * the generation again; `ended` is complete, cancelled or failed.
 */
export type RunStage = 'open' | 'void' | 'ended';

export interface NodeRun {
  /** Identifies the generation before the server has named its run. */
  readonly key: string;
  readonly id: string | null;
  /** Index of the returned sequence. */
  readonly sequence: number;
  /** Position of the node's first token in the output of the run. */
  readonly from: number;
  readonly stage: RunStage;
  readonly parameters: Parameters;
  readonly seed: number | null;
  /** Why it ended: the server's finish reason, `cancelled` or `failed`. */
  readonly finish: string | null;
  /** What the server said about a failure. */
  readonly failure: string | null;
}

export interface DraftNode {
  readonly id: NodeId;
  readonly parent: NodeId | null;
  readonly children: readonly NodeId[];
  /** `taken` is one token that the user chose in place of the one that was drawn. */
  readonly kind: 'typed' | 'generated' | 'taken';
  readonly text: string;
  /** Null for typed text. */
  readonly tokens: readonly DraftToken[] | null;
  /** The text before this node has been edited, so that its log-probabilities are those of another context. */
  readonly isMoved: boolean;
  readonly run: NodeRun | null;
  readonly name: string | null;
  readonly isStarred: boolean;
}

/** A typed node that further typing extends. */
export interface Typing {
  readonly node: NodeId;
  readonly caret: number;
  readonly atMs: number;
}

export interface Draft {
  readonly id: string;
  /** Null until the user names the draft. */
  readonly name: string | null;
  readonly nodes: ReadonlyMap<NodeId, DraftNode>;
  readonly root: NodeId;
  readonly here: NodeId;
  /** Positions that undo returns to, the last one first to be used. */
  readonly past: readonly NodeId[];
  /** Positions that redo returns to, the last one first to be used. */
  readonly future: readonly NodeId[];
  /** Number of ids given out. */
  readonly idCount: number;
  readonly parameters: Parameters;
  readonly presetId: string | null;
  readonly typing: Typing | null;
}

export function newDraft(id: string, parameters: Parameters): Draft {
  const root = emptyNode('n0', null, 'typed');
  return {
    id,
    name: null,
    nodes: new Map([[root.id, root]]),
    root: root.id,
    here: root.id,
    past: [],
    future: [],
    idCount: 1,
    parameters,
    presetId: null,
    typing: null,
  };
}

export function emptyNode(id: NodeId, parent: NodeId | null, kind: DraftNode['kind']): DraftNode {
  return {
    id,
    parent,
    children: [],
    kind,
    text: '',
    tokens: kind === 'typed' ? null : [],
    isMoved: false,
    run: null,
    name: null,
    isStarred: false,
  };
}

/** Throws `RangeError` for an id that is not in the draft. */
export function nodeOf(draft: Draft, id: NodeId): DraftNode {
  const node = draft.nodes.get(id);
  if (node === undefined) throw new RangeError(`expected a node of draft ${draft.id}, got ${id}`);
  return node;
}

/** The nodes from the root to `end`, which is the position unless given. */
export function pathOf(draft: Draft, end: NodeId = draft.here): readonly DraftNode[] {
  const path: DraftNode[] = [];
  for (let id: NodeId | null = end; id !== null; ) {
    const node: DraftNode = nodeOf(draft, id);
    path.push(node);
    id = node.parent;
  }
  return path.reverse();
}

export function textOf(draft: Draft, end: NodeId = draft.here): string {
  return pathOf(draft, end)
    .map((node) => node.text)
    .join('');
}

export function isOpen(node: DraftNode): boolean {
  return node.run !== null && node.run.stage !== 'ended';
}

/** Replace or add nodes. */
export function withNodes(draft: Draft, ...nodes: readonly DraftNode[]): Draft {
  const next = new Map(draft.nodes);
  for (const node of nodes) next.set(node.id, node);
  return { ...draft, nodes: next };
}

/** Add a node below its parent. */
export function withChild(draft: Draft, content: Omit<DraftNode, 'id' | 'children'>): { draft: Draft; id: NodeId } {
  const id = `n${draft.idCount}`;
  const node: DraftNode = { ...content, id, children: [] };
  if (node.parent === null) throw new RangeError('expected a parent: a draft has one root');
  const parent = nodeOf(draft, node.parent);
  const grown = { ...parent, children: [...parent.children, id] };
  return { draft: { ...withNodes(draft, grown, node), idCount: draft.idCount + 1 }, id };
}

/** Make `id` the position, as a step that undo takes back. */
export function stepTo(draft: Draft, id: NodeId): Draft {
  if (id === draft.here) return { ...draft, typing: null };
  return { ...draft, here: nodeOf(draft, id).id, past: [...draft.past, draft.here], future: [], typing: null };
}
