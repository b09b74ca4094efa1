import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { incompleteCharacterLength } from './incomplete-character.ts';

/** A prompt as an echo shows it, special tokens included. Token ids may end inside a character, which output may end. */
export interface PromptText {
  /** The whole characters. */
  readonly text: string;
  /** Their number, in code points. */
  readonly characters: number;
  /** The bytes of the character that the prompt begins and does not end: 0 to 3. */
  readonly incomplete: Uint8Array;
}

export const EMPTY_PROMPT: PromptText = { text: '', characters: 0, incomplete: new Uint8Array(0) };

export function readPromptText(tokenizer: Tokenizer, ids: readonly TokenId[]): PromptText {
  const bytes = Buffer.concat(ids.map((id) => tokenizer.tokenBytes(id)));
  const end = bytes.length - incompleteCharacterLength(bytes);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, end));
  return { text, characters: countCharacters(text), incomplete: bytes.subarray(end) };
}

/** Code points. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
