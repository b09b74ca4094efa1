/** Where the nodes of a beam tree stand: a column for each step, a row for each end, the best path on the first one. */
import type { BeamNode, BeamTree } from './beam-tree.ts';

export interface PlacedNode {
  readonly node: BeamNode;
  readonly row: number;
  /** The node before it; null for the first tokens. */
  readonly before: PlacedNode | null;
}

export interface BeamLayout {
  /** In the order of rows, each row from its first column on. */
  readonly placed: readonly PlacedNode[];
  readonly byId: ReadonlyMap<number, PlacedNode>;
  readonly rows: number;
  readonly columns: number;
}

/** `withDropped`: also what was considered and not kept, and beams that lead to no returned sequence. */
export function layOut(tree: BeamTree, withDropped: boolean): BeamLayout {
  const { nodes, root } = tree;
  const ranks = rankEnds(tree);
  const placed: PlacedNode[] = [];
  const byId = new Map<number, PlacedNode>();
  let rows = 0;
  let columns = 0;
  const childrenOf = (node: BeamNode): readonly BeamNode[] =>
    node.children
      .flatMap((id) => nodes[id] ?? [])
      .filter((child) => child.isAlive || withDropped)
      .sort((a, b) => (ranks[a.id] ?? 0) - (ranks[b.id] ?? 0) || (b.score ?? 0) - (a.score ?? 0));
  // Without recursion: a path has as many nodes as the output has tokens.
  const pending: { readonly node: BeamNode; readonly before: PlacedNode | null; readonly isFirst: boolean }[] = [];
  const expect = (children: readonly BeamNode[], before: PlacedNode | null): void => {
    for (const [index, node] of [...children.entries()].reverse()) pending.push({ node, before, isFirst: index === 0 });
  };
  expect(childrenOf(root), null);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, before, isFirst } = next;
    const row = isFirst && before !== null ? before.row : rows++;
    const place: PlacedNode = { node, row, before };
    placed.push(place);
    byId.set(node.id, place);
    columns = Math.max(columns, node.depth);
    expect(childrenOf(node), place);
  }
  return { placed, byId, rows, columns };
}

/** For each node the best returned sequence below it; a large number where there is none. */
function rankEnds({ nodes }: BeamTree): readonly number[] {
  const ranks = nodes.map(({ returned, isKept }) => returned ?? (isKept ? 1e6 : 2e6));
  // Children have larger ids than their parents.
  for (const node of [...nodes].reverse()) {
    if (node.parent === null) continue;
    ranks[node.parent] = Math.min(ranks[node.parent] ?? 0, ranks[node.id] ?? 0);
  }
  return ranks;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The node that an arrow key leads to; the same one at an edge. */
export function neighbour({ placed, byId }: BeamLayout, from: PlacedNode, direction: Direction): PlacedNode {
  switch (direction) {
    case 'left':
      return from.before ?? from;
    case 'right': {
      // The first child is on the same row.
      const children = from.node.children.flatMap((id) => byId.get(id) ?? []);
      return children.sort((a, b) => a.row - b.row)[0] ?? from;
    }
    case 'up':
    case 'down': {
      const step = direction === 'up' ? -1 : 1;
      const column = placed.filter(({ node }) => node.depth === from.node.depth).sort((a, b) => a.row - b.row);
      return column[column.indexOf(from) + step] ?? from;
    }
    default:
      return direction satisfies never;
  }
}
