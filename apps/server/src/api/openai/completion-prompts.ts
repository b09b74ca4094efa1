import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { refuseField, refuseOption } from '../../generation/field-reader.ts';
import { encodePrompt, type TextModel } from '../../generation/text-model.ts';

export interface CompletionPrompt {
  /** What the model reads. */
  readonly ids: readonly TokenId[];
  /** What of that the caller wrote. */
  readonly shown: readonly TokenId[];
}

const MAX_PROMPTS = 1024;
const FORMS = 'a text, texts, token ids or lists of token ids';

/**
 * `prompt`: a text, an array of texts, token ids, or an array of arrays of ids; each of at most `most` tokens. Nothing
 * and the empty text mean the beginning of a document. Throws `invalid_parameter`.
 */
export function readPrompts(model: TextModel, value: JsonValue | undefined, max: number): readonly CompletionPrompt[] {
  if (value === undefined) return [readText(model, '', max)];
  if (typeof value === 'string') return [readText(model, value, max)];
  if (!Array.isArray(value)) throw refuseField('prompt', FORMS, value);
  if (value.length === 0) throw refuseField('prompt', 'at least one prompt', value);
  if (typeof value[0] === 'number') return [readIds(model, value, max)];
  if (value.length > MAX_PROMPTS) {
    throw refuseOption('prompt', `expected at most ${MAX_PROMPTS} prompts, got ${value.length}; send them in parts`);
  }
  return value.map((one) => {
    if (typeof one === 'string') return readText(model, one, max);
    if (Array.isArray(one)) return readIds(model, one, max);
    throw refuseField('prompt', FORMS, one);
  });
}

function readText(model: TextModel, text: string, max: number): CompletionPrompt {
  if (text === '') return { ids: [model.info.config.eosTokenId], shown: [] };
  const ids = encodePrompt(model, 'prompt', text, max);
  return { ids, shown: ids };
}

function readIds(model: TextModel, list: readonly JsonValue[], max: number): CompletionPrompt {
  const { vocabSize } = model.tokenizer;
  if (list.length === 0) throw refuseField('prompt', 'at least one token id in every list', []);
  if (list.length > max) {
    throw refuseOption('prompt', `expected at most ${max} tokens, got ${list.length}; shorten it`);
  }
  const ids = list.map((id) => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw refuseField('prompt', `token ids from 0 to ${vocabSize - 1}`, id);
    }
    return id;
  });
  return { ids, shown: ids };
}
