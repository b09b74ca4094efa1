import type { DraftShelf, StoredDraft } from '../playground/drafts/draft-shelf.ts';

export interface MemoryShelf extends DraftShelf {
  readonly drafts: Map<string, { head: Record<string, unknown>; nodes: Map<string, unknown> }>;
  readonly aside: Map<string, { reason: string; stored: StoredDraft | null }>;
  /** Ids of the nodes of each write. */
  readonly writes: string[][];
}

/** A shelf in memory that stores copies, as a database does. */
export function memoryShelf(): MemoryShelf {
  const drafts: MemoryShelf['drafts'] = new Map();
  const aside: MemoryShelf['aside'] = new Map();
  const writes: string[][] = [];
  const read = (id: string): StoredDraft | null => {
    const stored = drafts.get(id);
    return stored === undefined ? null : structuredClone({ head: stored.head, nodes: [...stored.nodes.values()] });
  };
  return {
    drafts,
    aside,
    writes,
    list: async () =>
      [...drafts.values()]
        .map(({ head }) => ({ id: String(head.id), title: String(head.title), savedAtMs: Number(head.savedAtMs) }))
        .sort((a, b) => b.savedAtMs - a.savedAtMs),
    read: async (id) => read(id),
    write: async ({ head, nodes, removed }) => {
      const stored = drafts.get(head.id);
      if (Number(stored?.head.revision ?? 0) !== head.revision - 1) return false;
      const all = stored?.nodes ?? new Map<string, unknown>();
      for (const node of nodes) all.set(node.id, structuredClone(node));
      for (const id of removed) all.delete(id);
      drafts.set(head.id, { head: structuredClone({ ...head }), nodes: all });
      writes.push(nodes.map((node) => node.id));
      return true;
    },
    remove: async (id) => {
      drafts.delete(id);
    },
    setAside: async (id, reason) => {
      aside.set(id, { reason, stored: read(id) });
      drafts.delete(id);
    },
  };
}
