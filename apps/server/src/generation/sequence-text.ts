import type { TokenReport } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { incompleteCharacterLength, isBeginningOfText } from './incomplete-character.ts';
import { countCharacters, EMPTY_PROMPT, type PromptText } from './prompt-text.ts';
import { createVisibleText, type VisibleText } from './visible-text.ts';

/** A token that is reported beside the text. */
export interface ShownToken {
  readonly token: TokenId;
  /** Characters (code points) of prompt and text before the one that the token begins or continues. */
  readonly offset: number;
  readonly report: TokenReport | null;
}

export interface ShownText {
  readonly text: string;
  readonly tokens: readonly ShownToken[];
}

/**
 * The text of one generated sequence as its tokens come, cut where the first stop string begins. Text that may begin a
 * stop string is held back until later text decides, and its tokens with it. Special tokens, EOS among them, add no
 * text, but are reported like every other token.
 */
export interface SequenceText {
  push(tokens: readonly TokenId[], reports?: readonly TokenReport[]): ShownText;
  /** The rest, when no more tokens come. */
  end(): ShownText;
}

export interface SequenceTextOptions {
  readonly stops: readonly string[];
  /** The prompt that the sequence continues: offsets count from its beginning. Default: none. */
  readonly prompt?: PromptText;
  /** The prompt's whole characters are shown before this text, so that a broken one at its end has to follow. Default false. */
  readonly echo?: boolean;
}

interface HeldToken extends ShownToken {
  /** Where its bytes begin and end in the sequence. Equal for special tokens. */
  readonly start: number;
  readonly end: number;
}

export function createSequenceText(
  tokenizer: Tokenizer,
  { stops, prompt = EMPTY_PROMPT, echo = false }: SequenceTextOptions,
): SequenceText {
  /** Counts the characters of the whole sequence, also of what stop strings cut. */
  let counter = new TextDecoder('utf-8', { ignoreBOM: true });
  let visible: VisibleText | null = null;
  let characters = prompt.characters;
  let bytes = 0;
  /** The newest bytes, at most 4: enough to see whether a character has ended. */
  let newest: Uint8Array = prompt.incomplete;
  let held: HeldToken[] = [];

  /** Whether a character has begun that `next` does not continue: U+FFFD then stands before it. */
  const breaks = (next: Uint8Array): boolean => {
    const begun = newest.subarray(newest.length - incompleteCharacterLength(newest));
    return begun.length > 0 && next.length > 0 && !isBeginningOfText(Buffer.concat([begun, next.subarray(0, 1)]));
  };

  /** Decide whether the first bytes of the sequence end the character that the prompt began. Returns text to show. */
  const begin = (first: Uint8Array): string => {
    const { incomplete } = prompt;
    const continues = incomplete.length > 0 && first.length > 0 && !breaks(first);
    visible = createVisibleText(tokenizer, stops, continues ? incomplete : undefined);
    counter = new TextDecoder('utf-8', { ignoreBOM: true });
    if (continues) counter.decode(incomplete, { stream: true });
    if (continues || incomplete.length === 0) return '';
    characters++;
    newest = new Uint8Array(0);
    return echo ? '\ufffd' : '';
  };

  const push = (token: TokenId, report: TokenReport | null): string => {
    if (tokenizer.isSpecial(token)) {
      const offset = characters + (incompleteCharacterLength(newest) > 0 ? 1 : 0);
      held.push({ token, offset, report, start: bytes, end: bytes });
      return '';
    }
    const own = tokenizer.tokenBytes(token);
    const before = visible === null ? begin(own) : '';
    held.push({ token, offset: characters + Number(breaks(own)), report, start: bytes, end: bytes + own.length });
    bytes += own.length;
    newest = Buffer.concat([newest, own]).subarray(-4);
    characters += countCharacters(counter.decode(own, { stream: true }));
    return before + visible!.push(token);
  };

  const take = (isShown: (token: HeldToken) => boolean): readonly ShownToken[] => {
    const count = held.findIndex((token) => !isShown(token));
    const tokens = count === -1 ? held : held.slice(0, count);
    held = held.slice(tokens.length);
    return tokens.map(({ token, offset, report }) => ({ token, offset, report }));
  };

  return {
    push(tokens, reports) {
      const text = tokens.map((token, at) => push(token, reports?.[at] ?? null)).join('');
      const shown = visible?.shownBytes ?? 0;
      return { text, tokens: take(({ end }) => end <= shown) };
    },
    end() {
      const before = visible === null ? begin(new Uint8Array(0)) : '';
      const text = before + visible!.end();
      const shown = visible!.shownBytes;
      // A token that reaches into the stop string still began before it.
      const tokens = take(({ start, end }) => start < shown || end <= shown);
      return { text, tokens };
    },
  };
}
