import type { TokenId } from '@gptj-cloud/model';
import { createDetokeniser, type Detokeniser, type Tokenizer } from '@gptj-cloud/tokenizer';
import type { TokenChunk } from './pipeline.ts';
import { createStopTrimmer, type StopTrimmer } from './stop-trimmer.ts';

export interface TokenStreamOptions {
  readonly tokenizer: Tokenizer;
  /** Cut the text where one of these begins; empty keeps everything. */
  readonly trimAt: readonly string[];
  readonly onTokens: (chunk: TokenChunk) => void;
}

/** The tokens of a generation with their text, sequence by sequence. */
export interface TokenStream {
  push(index: number, tokens: readonly TokenId[]): void;
  /** Bring every sequence to its end: tokens that were not pushed, and text that was held back. */
  end(sequences: readonly (readonly TokenId[])[]): void;
}

interface SequenceText {
  readonly detokeniser: Detokeniser;
  readonly trimmer: StopTrimmer;
  pushed: number;
}

export function createTokenStream({ tokenizer, trimAt, onTokens }: TokenStreamOptions): TokenStream {
  const sequences = new Map<number, SequenceText>();
  const at = (index: number): SequenceText => {
    let sequence = sequences.get(index);
    if (sequence === undefined) {
      sequence = { detokeniser: createDetokeniser(tokenizer), trimmer: createStopTrimmer(trimAt), pushed: 0 };
      sequences.set(index, sequence);
    }
    return sequence;
  };
  const push = (index: number, tokens: readonly TokenId[]): void => {
    if (tokens.length === 0) return;
    const sequence = at(index);
    const text = tokens.map((token) => sequence.trimmer.push(sequence.detokeniser.push(token))).join('');
    sequence.pushed += tokens.length;
    onTokens({ index, text, tokens });
  };
  return {
    push,
    end(all) {
      for (const [index, tokens] of all.entries()) {
        push(index, tokens.slice(at(index).pushed));
        const { detokeniser, trimmer } = at(index);
        const text = trimmer.push(detokeniser.end()) + trimmer.end();
        if (text !== '') onTokens({ index, text, tokens: [] });
      }
    },
  };
}
