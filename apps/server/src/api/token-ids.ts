/** Texts and token ids in requests that tokenise. */
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { MAX_TOKENIZED } from '@gptj-cloud/protocol';
import { TokenizerError } from '@gptj-cloud/tokenizer';
import { refuseField, refuseOption } from '../generation/field-reader.ts';
import type { TextModel } from '../generation/text-model.ts';

/** The tokens of a text. Throws `invalid_parameter`, naming the field, for more than a request may have. */
export function encodeText(
  { tokenizer }: TextModel,
  name: string,
  text: string,
  splitSpecialTokens: boolean,
): readonly TokenId[] {
  try {
    return tokenizer.encode(text, { limit: MAX_TOKENIZED, splitSpecialTokens });
  } catch (error) {
    if (!(error instanceof TokenizerError) || error.code !== 'too_many_tokens') throw error;
    throw refuseOption(name, `expected at most ${MAX_TOKENIZED} tokens, got more; send it in parts`);
  }
}

/** Throws `invalid_parameter` for anything but a bounded array of ids of the model. */
export function readTokenIds(name: string, value: JsonValue | undefined, vocabSize: number): readonly TokenId[] {
  if (value === undefined) throw refuseOption(name, 'expected an array of token ids, got nothing');
  if (!Array.isArray(value)) throw refuseField(name, 'an array of token ids', value);
  if (value.length > MAX_TOKENIZED) {
    throw refuseOption(name, `expected at most ${MAX_TOKENIZED} token ids, got ${value.length}; send them in parts`);
  }
  return value.map((id) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabSize) return id;
    throw refuseField(name, `token ids from 0 to ${vocabSize - 1}`, id);
  });
}
