import type { GeneratedSequence, TokenReport } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { toTokenLogprob } from '../token-logprob.ts';
import { createVisibleText, type VisibleText } from '../visible-text.ts';
import type { TokenChunk } from './pipeline.ts';

export interface TokenStreamOptions {
  readonly tokenizer: Tokenizer;
  /** Cut the text where one of these begins; empty keeps everything. */
  readonly trimAt: readonly string[];
  readonly onTokens: (chunk: TokenChunk) => void;
}

/** The tokens of a generation with their text, sequence by sequence. */
export interface TokenStream {
  push(index: number, tokens: readonly TokenId[], reports?: readonly TokenReport[]): void;
  /** End every sequence: emit tokens that were not pushed, and buffered text. */
  end(sequences: readonly Pick<GeneratedSequence, 'tokens' | 'logprobs'>[]): void;
}

interface StreamedSequence {
  readonly text: VisibleText;
  pushed: number;
}

export function createTokenStream({ tokenizer, trimAt, onTokens }: TokenStreamOptions): TokenStream {
  const sequences = new Map<number, StreamedSequence>();
  const at = (index: number): StreamedSequence => {
    let sequence = sequences.get(index);
    if (sequence === undefined) {
      sequence = { text: createVisibleText(tokenizer, trimAt), pushed: 0 };
      sequences.set(index, sequence);
    }
    return sequence;
  };
  const push: TokenStream['push'] = (index, tokens, reports) => {
    if (tokens.length === 0) return;
    const sequence = at(index);
    const text = tokens.map((token) => sequence.text.push(token)).join('');
    sequence.pushed += tokens.length;
    const logprobs = reports?.map((report) => toTokenLogprob(tokenizer, report));
    onTokens({ index, text, tokens, ...(logprobs === undefined ? {} : { logprobs }) });
  };
  return {
    push,
    end(all) {
      for (const [index, { tokens, logprobs }] of all.entries()) {
        const { pushed } = at(index);
        push(index, tokens.slice(pushed), logprobs?.slice(pushed));
        const text = at(index).text.end();
        if (text !== '') onTokens({ index, text, tokens: [] });
      }
    },
  };
}
