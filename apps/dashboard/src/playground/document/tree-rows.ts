/** The tree of a draft as rows: a run of nodes without forks is one row. */
import { type Draft, type DraftNode, type NodeId, nodeOf } from './draft.ts';
import { meanLogprob } from './mean-logprob.ts';

export interface TreeRow {
  /** The last node of the row: going to the row is going there. */
  readonly id: NodeId;
  /** The first node of the row: deleting the row is deleting from there. */
  readonly first: NodeId;
  /** The start of its text, on one line. */
  readonly text: string;
  readonly name: string | null;
  readonly isStarred: boolean;
  readonly isGenerated: boolean;
  /** The position is in this row. */
  readonly isHere: boolean;
  /** On the way from the root to the position. */
  readonly isOnPath: boolean;
  /** Mean natural log-probability of its tokens; null without any. */
  readonly mean: number | null;
  readonly children: readonly TreeRow[];
}

const MAX_ROW_LETTERS = 80;

/** Rows from the root's children on; the newest fork last. */
export function treeRows(draft: Draft): readonly TreeRow[] {
  const onPath = new Set<NodeId>();
  for (let id: NodeId | null = draft.here; id !== null; id = nodeOf(draft, id).parent) onPath.add(id);
  return nodeOf(draft, draft.root).children.map((id) => rowFrom(draft, id, onPath));
}

/** The row with this first node, wherever it is; null when the draft has none. */
export function rowOf(rows: readonly TreeRow[], first: NodeId): TreeRow | null {
  for (const row of rows) {
    const found = row.first === first ? row : rowOf(row.children, first);
    if (found !== null) return found;
  }
  return null;
}

/** The rows that are starred, with their whole text heads, in the order of the tree. */
export function starredRows(rows: readonly TreeRow[]): readonly TreeRow[] {
  return rows.flatMap((row) => [...(row.isStarred ? [row] : []), ...starredRows(row.children)]);
}

function rowFrom(draft: Draft, first: NodeId, onPath: ReadonlySet<NodeId>): TreeRow {
  const nodes: DraftNode[] = [nodeOf(draft, first)];
  for (let last = nodes[0]; last !== undefined; ) {
    // A bookmark ends a row, so that it can be gone to.
    const [next, ...others] = last.children;
    if (next === undefined || others.length > 0 || last.isStarred || last.name !== null) break;
    last = nodeOf(draft, next);
    nodes.push(last);
  }
  const last = nodes.at(-1) ?? nodeOf(draft, first);
  return {
    id: last.id,
    first,
    text: headOf(nodes),
    name: last.name,
    isStarred: last.isStarred,
    isGenerated: nodes.some((node) => node.kind !== 'typed'),
    isHere: nodes.some((node) => node.id === draft.here),
    isOnPath: onPath.has(first),
    mean: meanLogprob(nodes.flatMap((node) => node.tokens ?? []))?.mean ?? null,
    children: last.children.map((child) => rowFrom(draft, child, onPath)),
  };
}

/** The start of the text of nodes, on one line. */
export function headOf(nodes: readonly DraftNode[]): string {
  let text = '';
  for (const node of nodes) {
    text += node.text.slice(0, 4 * MAX_ROW_LETTERS);
    if (text.length > 4 * MAX_ROW_LETTERS) break;
  }
  const letters = [...text.replace(/\s+/g, ' ').trim()];
  return letters.length <= MAX_ROW_LETTERS ? letters.join('') : `${letters.slice(0, MAX_ROW_LETTERS).join('')}…`;
}
