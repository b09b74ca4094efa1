import type { TokenReport } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import { createDetokeniser, type Tokenizer } from '@gptj-cloud/tokenizer';
import { createStopTrimmer } from './pipelines/stop-trimmer.ts';

/** A token whose text is shown. */
export interface ShownToken {
  readonly token: TokenId;
  /** Characters (code points) of the sequence's text before the one that the token begins or continues. */
  readonly offset: number;
  readonly report: TokenReport | null;
}

export interface ShownText {
  readonly text: string;
  readonly tokens: readonly ShownToken[];
}

/**
 * The text of one generated sequence as its tokens come, cut where the first stop string begins. What may begin one is
 * held back until more text shows whether it does, and tokens with it. Control tokens show nothing.
 */
export interface SequenceText {
  push(tokens: readonly TokenId[], reports?: readonly TokenReport[]): ShownText;
  /** What was held back, when no more comes. */
  end(): ShownText;
}

interface HeldToken extends ShownToken {
  /** Where its text begins and ends in the sequence's text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

export function createSequenceText(tokenizer: Tokenizer, stops: readonly string[]): SequenceText {
  const detokeniser = createDetokeniser(tokenizer);
  const trimmer = createStopTrimmer(stops);
  let units = 0;
  let characters = 0;
  let shownUnits = 0;
  let held: HeldToken[] = [];

  const read = (text: string): void => {
    units += text.length;
    characters += countCharacters(text);
  };
  const show = (text: string, isShown: (token: HeldToken) => boolean): ShownText => {
    shownUnits += text.length;
    const count = held.findIndex((token) => !isShown(token));
    const tokens = count === -1 ? held : held.slice(0, count);
    held = held.slice(tokens.length);
    return { text, tokens };
  };
  return {
    push(tokens, reports) {
      let text = '';
      for (const [at, token] of tokens.entries()) {
        const piece = detokeniser.push(token);
        if (tokenizer.isSpecial(token)) continue;
        const [start, offset] = [units, characters];
        read(piece);
        held.push({ token, offset, report: reports?.[at] ?? null, start, end: units });
        text += trimmer.push(piece);
      }
      return show(text, (token) => token.end <= shownUnits);
    },
    end() {
      const rest = detokeniser.end();
      read(rest);
      const text = trimmer.push(rest) + trimmer.end();
      // A token that reaches into the stop string still began before it.
      return show(text, (token) => token.start < shownUnits || token.end <= shownUnits);
    },
  };
}

export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
