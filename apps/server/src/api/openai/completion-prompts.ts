import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { refuseField, refuseOption } from '../../generation/field-reader.ts';
import { encodePrompt, type TextModel } from '../../generation/text-model.ts';

export interface CompletionPrompt {
  /** The tokens that the model reads. */
  readonly ids: readonly TokenId[];
  /** Those of them that the caller wrote. */
  readonly shown: readonly TokenId[];
}

export interface CompletionPromptOptions {
  /** Maximum number of tokens of each prompt. */
  readonly max: number;
  /** Keep that many tokens from the end of each prompt. */
  readonly truncate: number | undefined;
  /** Read special tokens in texts literally. */
  readonly splitSpecialTokens: boolean;
}

const MAX_PROMPTS = 1024;
const FORMS = 'a string, an array of strings, token ids or an array of arrays of token ids';

/**
 * `prompt`: a string, an array of strings, token ids, or an array of arrays of ids. No prompt and the empty string mean
 * the beginning of a document. Throws `invalid_parameter`.
 */
export function readPrompts(
  model: TextModel,
  value: JsonValue | undefined,
  options: CompletionPromptOptions,
): readonly CompletionPrompt[] {
  if (value === undefined) return [readText(model, '', options)];
  if (typeof value === 'string') return [readText(model, value, options)];
  if (!Array.isArray(value)) throw refuseField('prompt', FORMS, value);
  if (value.length === 0) throw refuseField('prompt', 'at least one prompt', value);
  if (typeof value[0] === 'number') return [readIds(model, value, options)];
  if (value.length > MAX_PROMPTS) {
    throw refuseOption('prompt', `expected at most ${MAX_PROMPTS} prompts, got ${value.length}; send them in parts`);
  }
  return value.map((one) => {
    if (typeof one === 'string') return readText(model, one, options);
    if (Array.isArray(one)) return readIds(model, one, options);
    throw refuseField('prompt', FORMS, one);
  });
}

function readText(model: TextModel, text: string, options: CompletionPromptOptions): CompletionPrompt {
  if (text === '') {
    const { eosTokenId } = model.info.config;
    if (eosTokenId === null) {
      throw refuseField('prompt', 'a text that is not empty, as the model has no end of text', '');
    }
    return { ids: [eosTokenId], shown: [] };
  }
  const ids = encodePrompt(model, text, { field: 'prompt', ...options });
  return { ids, shown: ids };
}

function readIds(
  model: TextModel,
  list: readonly JsonValue[],
  { max, truncate }: CompletionPromptOptions,
): CompletionPrompt {
  const { vocabSize } = model.tokenizer;
  if (list.length === 0) throw refuseField('prompt', 'at least one token id in every array', []);
  const kept = truncate === undefined ? list : list.slice(-Math.min(truncate, max));
  if (kept.length > max) {
    throw refuseOption('prompt', `expected at most ${max} tokens, got ${kept.length}; shorten it`);
  }
  const ids = kept.map((id) => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw refuseField('prompt', `token ids from 0 to ${vocabSize - 1}`, id);
    }
    return id;
  });
  return { ids, shown: ids };
}
