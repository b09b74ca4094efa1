/** Places of tokens in the text of a draft. */
import type { TokenPlace } from '../../ui/token-text.tsx';
import type { DraftNode, DraftToken } from '../document/draft.ts';

/** The tokens of a path in order, where the user can go. */
export function tokenPlaces(path: readonly DraftNode[]): readonly TokenPlace[] {
  return path.flatMap((node) => (node.tokens ?? []).map((_, index) => ({ section: node.id, index })));
}

export function tokenAt(path: readonly DraftNode[], place: TokenPlace | null): DraftToken | null {
  if (place === null) return null;
  return path.find((node) => node.id === place.section)?.tokens?.[place.index] ?? null;
}

/** The offset in the text at which a token begins. */
export function offsetOf(path: readonly DraftNode[], { section, index }: TokenPlace): number {
  let offset = 0;
  for (const node of path) {
    if (node.id !== section) {
      offset += node.text.length;
      continue;
    }
    for (const token of (node.tokens ?? []).slice(0, index)) offset += token.text.length;
    return offset;
  }
  return offset;
}
