import { incompleteCharacterLength, isBeginningOfText } from './incomplete-character.ts';
import { countCharacters, EMPTY_PROMPT, type PromptText } from './prompt-text.ts';

/** Counts the characters (code points) of a text incrementally, from the bytes of its tokens. */
export interface CharacterCounter {
  /**
   * The number of characters before the one that `bytes` begin or continue; for no bytes, before the next one. Bytes
   * that are not UTF-8 count as U+FFFD.
   */
  advance(bytes: Uint8Array): number;
}

/** `prompt`: the text that comes before. Default: none. */
export function createCharacterCounter(prompt: PromptText = EMPTY_PROMPT): CharacterCounter {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  utf8.decode(prompt.incomplete, { stream: true });
  let characters = prompt.characters;
  /** The newest bytes, at most 3: enough to see whether a character has begun and not ended. */
  let newest: Uint8Array = prompt.incomplete;
  return {
    advance(bytes) {
      const begun = newest.subarray(newest.length - incompleteCharacterLength(newest));
      const isBroken = begun.length > 0 && !continuesCharacter(begun, bytes);
      const offset = characters + Number(isBroken);
      if (bytes.length === 0) return offset;
      newest = Buffer.concat([newest, bytes]).subarray(-3);
      characters += countCharacters(utf8.decode(bytes, { stream: true }));
      return offset;
    },
  };
}

/** Whether the first of `bytes` continues the character that `begun` begins. */
export function continuesCharacter(begun: Uint8Array, bytes: Uint8Array): boolean {
  return bytes.length > 0 && isBeginningOfText(Buffer.concat([begun, bytes.subarray(0, 1)]));
}
