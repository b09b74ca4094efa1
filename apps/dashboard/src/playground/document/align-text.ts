/**
 * Which token brought which part of a streamed text. The server sends text in whole characters, and behind the tokens: the
 * first tokens of a character bring nothing and the last one brings it, and text that may begin a stop string is held back.
 */
import type { DraftToken } from './draft.ts';

/** Distribute streamed `text` over tokens that have not brought all of their own text. */
export function alignText(tokens: readonly DraftToken[], text: string): readonly DraftToken[] {
  const texts = tokens.map((token) => token.text);
  const bring = (index: number, piece: string): void => {
    texts[index] = (texts[index] ?? '') + piece;
  };
  let rest = text;
  let index = 0;
  while (rest !== '' && index < tokens.length) {
    const owed = owedBy(tokens[index], texts[index]);
    if (owed !== null && rest.startsWith(owed)) {
      bring(index, owed);
      rest = rest.slice(owed.length);
      index++;
    } else if (owed?.startsWith(rest)) {
      bring(index, rest);
      rest = '';
    } else {
      // Part of a character, or a special token that is not shown: the text up to the next known token ends here.
      const next = nextFound(tokens, index + 1, rest);
      bring(next.index - 1, rest.slice(0, next.at));
      rest = rest.slice(next.at);
      index = next.index;
    }
  }
  if (rest !== '') bring(tokens.length - 1, rest);
  return tokens.map((token, at) => (token.text === texts[at] ? token : { ...token, text: texts[at] ?? '' }));
}

/** Number of tokens at the start that later text cannot change. */
export function settledCount(tokens: readonly DraftToken[]): number {
  let count = tokens.length;
  while (count > 0 && isUnsettled(tokens[count - 1])) count--;
  return count;
}

/** Whether later text may belong to a token: it has brought nothing, or only the start of its own text. */
function isUnsettled(token: DraftToken | undefined): boolean {
  return token !== undefined && (token.text === '' || (owedBy(token, token.text) ?? '') !== '');
}

/** What a token with a label in whole characters has still to bring; null when that is not known. */
function owedBy(token: DraftToken | undefined, brought: string | undefined): string | null {
  const label = token?.label ?? null;
  if (label === null || isPartLabel(label) || brought === undefined || !label.startsWith(brought)) return null;
  return label.slice(brought.length);
}

function nextFound(tokens: readonly DraftToken[], from: number, rest: string): { index: number; at: number } {
  for (let index = from; index < tokens.length; index++) {
    const owed = owedBy(tokens[index], '');
    const at = owed === null || owed === '' ? -1 : rest.indexOf(owed);
    if (at >= 0) return { index, at };
  }
  return { index: tokens.length, at: rest.length };
}

/** Whether a label names bytes that are only a part of a character. */
export function isPartLabel(label: string): boolean {
  return label.startsWith('bytes:') || label.includes('\ufffd');
}
