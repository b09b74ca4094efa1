import { alignText, isPartLabel } from './align-text.ts';
import { type Draft, type DraftToken, emptyNode, type NodeId, stepTo, withChild } from './draft.ts';

/** A token that the user takes, as the server has named it. */
export type TakenToken = Pick<DraftToken, 'id' | 'logprob'> & { readonly label: string };

/** Put tokens of a search below a node, and go there: the next generation continues exactly from them. */
export function takePath(draft: Draft, parent: NodeId, taken: readonly TakenToken[]): Draft {
  const bare = taken.map((token): DraftToken => ({ ...token, text: '', top: [] }));
  const tokens = alignText(bare, textOf(taken));
  const text = tokens.map((token) => token.text).join('');
  const added = withChild(draft, { ...emptyNode('', parent, 'taken'), text, tokens });
  return stepTo(added.draft, added.id);
}

/** The text of tokens of which some are parts of characters. A part at the end shows nothing yet. */
function textOf(taken: readonly TakenToken[]): string {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  const encoder = new TextEncoder();
  return taken
    .map(({ label }) => utf8.decode(isPartLabel(label) ? bytesOf(label) : encoder.encode(label), { stream: true }))
    .join('');
}

/** The bytes of a label such as `bytes:\xe2\x80`. */
function bytesOf(label: string): Uint8Array {
  const digits = label.slice('bytes:'.length).split('\\x').slice(1);
  return Uint8Array.from(digits, (each) => Number.parseInt(each, 16));
}
