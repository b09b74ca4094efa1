import type { TokenReport } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { continuesCharacter, createCharacterCounter } from './character-counter.ts';
import { EMPTY_PROMPT, type PromptText } from './prompt-text.ts';
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
 * Incremental text of one generated sequence, cut where the first stop string begins. Text that may be the beginning of
 * a stop string is buffered with its tokens until it is certain. Special tokens, EOS among them, add no
 * text, but are reported like every other token.
 */
export interface SequenceText {
  push(tokens: readonly TokenId[], reports?: readonly TokenReport[]): ShownText;
  /** Flush the buffered text at the end of the sequence. */
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

const NO_BYTES = new Uint8Array(0);

export function createSequenceText(
  tokenizer: Tokenizer,
  { stops, prompt = EMPTY_PROMPT, echo = false }: SequenceTextOptions,
): SequenceText {
  const counter = createCharacterCounter(prompt);
  let visible: VisibleText | null = null;
  let bytes = 0;
  let held: HeldToken[] = [];

  /** Decide whether the first bytes of the sequence continue the character that the prompt began. */
  const begin = (first: Uint8Array): { readonly visible: VisibleText; readonly before: string } => {
    const { incomplete } = prompt;
    const continues = incomplete.length > 0 && continuesCharacter(incomplete, first);
    visible = createVisibleText(tokenizer, stops, continues ? incomplete : undefined);
    return { visible, before: echo && incomplete.length > 0 && !continues ? '\ufffd' : '' };
  };

  const push = (token: TokenId, report: TokenReport | null): string => {
    const own = tokenizer.isSpecial(token) ? NO_BYTES : tokenizer.tokenBytes(token);
    held.push({ token, offset: counter.advance(own), report, start: bytes, end: bytes + own.length });
    bytes += own.length;
    if (own.length === 0) return '';
    if (visible !== null) return visible.push(token);
    const begun = begin(own);
    return begun.before + begun.visible.push(token);
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
      const begun = visible === null ? begin(NO_BYTES) : { visible, before: '' };
      const text = begun.before + begun.visible.end();
      const shown = begun.visible.shownBytes;
      // A token that reaches into the stop string still began before it.
      return { text, tokens: take(({ start, end }) => start < shown || end <= shown) };
    },
  };
}
