/** A generation as a whole, although edits may have split its nodes. */
import { type Draft, type DraftNode, type DraftToken, type NodeRun, nodeOf } from './draft.ts';
import { firstOf } from './generation.ts';
import { type Prompt, promptOf } from './prompt.ts';

/** The tokens of one sequence of a generation, in order. */
export function runTokens(draft: Draft, { key, sequence }: Pick<NodeRun, 'key' | 'sequence'>): readonly DraftToken[] {
  return [...draft.nodes.values()]
    .filter((node) => node.run?.key === key && node.run.sequence === sequence && !node.isMoved)
    .sort((a, b) => (a.run?.from ?? 0) - (b.run?.from ?? 0))
    .flatMap((node) => node.tokens ?? []);
}

/** The prompt that a generated node continues. */
export function promptOfRun(draft: Draft, node: DraftNode): Prompt {
  const { parent } = nodeOf(draft, firstOf(draft, node.id));
  return promptOf(draft, parent ?? draft.root);
}
