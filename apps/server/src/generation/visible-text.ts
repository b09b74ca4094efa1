import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { createStopTrimmer } from './stop-trimmer.ts';

/**
 * Incremental text of generated tokens: without special tokens, cut where the first stop string begins, in whole
 * characters. Everything it returns, joined, is the text of the whole sequence.
 */
export interface VisibleText {
  push(token: TokenId): string;
  /** Flush the buffered text at the end of the sequence; U+FFFD for an incomplete character. */
  end(): string;
  /** Bytes of the sequence that are shown so far, including those of a character that has not ended. */
  readonly shownBytes: number;
}

/** `before`: the beginning of a character that the first token continues. */
export function createVisibleText(
  tokenizer: Tokenizer,
  stops: readonly string[],
  before: Uint8Array = new Uint8Array(0),
): VisibleText {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  const trimmer = createStopTrimmer(stops);
  let shownBytes = 0;
  utf8.decode(before, { stream: true });
  const show = (bytes: Uint8Array): string => {
    shownBytes += bytes.length;
    return utf8.decode(bytes, { stream: true });
  };
  return {
    get shownBytes() {
      return shownBytes;
    },
    push: (token) => (tokenizer.isSpecial(token) ? '' : show(trimmer.push(tokenizer.tokenBytes(token)))),
    end: () => show(trimmer.end()) + utf8.decode(),
  };
}

/** The text of a whole sequence, cut where the first stop string begins. */
export function visibleText(tokenizer: Tokenizer, stops: readonly string[], tokens: readonly TokenId[]): string {
  if (stops.length === 0) return tokenizer.decode(tokens);
  const text = createVisibleText(tokenizer, stops);
  return tokens.map((token) => text.push(token)).join('') + text.end();
}
