import type { TokenId } from '@gptj-cloud/model';
import { seededUniforms } from '../seeded-uniforms.ts';

/** GPT-J's vocabulary in size and shape: single bytes, then words that grow from one another, mostly after a blank. */
export const COST_VOCABULARY = 50_400;
export const COST_EOS: TokenId = 50_256;

const LETTERS = 'etaoinshrdlucmfwypvbgkqjxz';

const tokens: readonly Uint8Array[] = makeTokens();

export const costTokenBytes = (token: TokenId): Uint8Array => tokens[token] ?? new Uint8Array(0);

function makeTokens(): readonly Uint8Array[] {
  const draw = seededUniforms(50_257);
  const texts = [' ', ...LETTERS, ...LETTERS.toUpperCase()];
  const known = new Set(texts);
  while (texts.length < COST_EOS - 256) {
    const beginning = texts[Math.floor(draw() ** 2 * texts.length)]!;
    const text = beginning + LETTERS[Math.floor(draw() ** 2 * LETTERS.length)];
    if (known.has(text) || text.length > 20) continue;
    known.add(text);
    texts.push(text);
  }
  const encoder = new TextEncoder();
  return [
    ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    ...texts.map((text) => encoder.encode(text)),
  ];
}
