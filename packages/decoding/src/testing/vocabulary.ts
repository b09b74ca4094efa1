import type { TokenId } from '@gptj-cloud/model';

/** Tokens 0 … 255 are single bytes, then these texts, then the EOS. */
const TEXTS = ['ab', 'cd', '12', '34', 'é', '日', '🙂', 'cat', 'dog', ' the', 'st', 'op', 'opera', 'xstopx'];

const encoder = new TextEncoder();
const table: readonly Uint8Array[] = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...TEXTS.map((text) => encoder.encode(text)),
];

export const TEXT_EOS: TokenId = table.length;
export const TEXT_VOCABULARY: number = table.length + 4;

/** Bytes of a token of the test vocabulary; none for EOS and what follows it. */
export function textTokenBytes(token: TokenId): Uint8Array {
  return table[token] ?? new Uint8Array(0);
}

/** The token of one of the texts, or of a single byte character. */
export function textToken(text: string): TokenId {
  const at = TEXTS.indexOf(text);
  return at === -1 ? encoder.encode(text)[0]! : 256 + at;
}

/** Text of tokens, which must be valid UTF-8 together. */
export function textOf(tokens: readonly TokenId[]): string {
  const bytes = tokens.flatMap((token) => [...textTokenBytes(token)]);
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
