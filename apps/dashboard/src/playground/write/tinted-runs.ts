/** Stretches of the text with one provenance, for the backdrop of the editor. */
import type { DraftNode, NodeId } from '../document/draft.ts';

export type Tint = 'typed' | 'generated' | 'taken' | 'void';

export interface TintedRun {
  /** Of its first node, and of the place of a seam: stable while text is appended. */
  readonly id: NodeId;
  readonly tint: Tint;
  readonly text: string;
}

function tintOf(node: DraftNode): Tint {
  return node.run?.stage === 'void' ? 'void' : node.kind;
}

/** The text of a path with neighbours of one tint joined; `starts` begin runs of their own. */
export function tintedRuns(path: readonly DraftNode[], starts: ReadonlySet<NodeId>): readonly TintedRun[] {
  const runs: TintedRun[] = [];
  for (const node of path) {
    if (node.text === '' && !starts.has(node.id)) continue;
    const tint = tintOf(node);
    const last = runs.at(-1);
    if (last?.tint === tint && !starts.has(node.id)) {
      runs[runs.length - 1] = { ...last, text: last.text + node.text };
    } else {
      runs.push({ id: node.id, tint, text: node.text });
    }
  }
  return runs;
}
