/** What a generation is asked to continue. */
import { isPartLabel } from './align-text.ts';
import { type Draft, type DraftNode, type NodeId, pathOf, UNKNOWN_TOKEN } from './draft.ts';

/**
 * The text of a path as a prompt: `text` as the tokenizer reads it, then the exact tokens of the last generations. Text that
 * was typed after generated text is read together with it, as the model would see it in a document.
 */
export interface Prompt {
  readonly text: string;
  /** Empty when the whole prompt is text. */
  readonly tokens: readonly number[];
  /** The text of those tokens, including the part of a character that the last ones may be. */
  readonly tokenText: string;
}

export function promptOf(draft: Draft, end: NodeId = draft.here): Prompt {
  const path = pathOf(draft, end);
  let exact = path.length;
  while (exact > 0 && isExact(path[exact - 1])) exact--;
  const tail = path.slice(exact);
  return {
    text: path
      .slice(0, exact)
      .map((node) => node.text)
      .join(''),
    tokens: tail.flatMap((node) => idsOf(node)),
    tokenText: tail.map((node) => node.text).join(''),
  };
}

/** Whether the tokens of a node are its text, in the context in which they were drawn. */
function isExact(node: DraftNode | undefined): boolean {
  if (node === undefined || node.tokens === null || node.isMoved || node.run?.stage === 'void') return false;
  // A stop string that was trimmed may end within a token.
  return node.tokens.every(
    ({ id, text, label }) =>
      id !== UNKNOWN_TOKEN && (text === '' || label === null || isPartLabel(label) || text === label),
  );
}

/** Without the end-of-text token and tokens of a trimmed stop string at the end, which are not in the text. */
function idsOf(node: DraftNode): readonly number[] {
  const tokens = node.tokens ?? [];
  const last = tokens.findLastIndex(({ text, label }) => text !== '' || (label !== null && isPartLabel(label)));
  return tokens.slice(0, last + 1).map((token) => token.id);
}
