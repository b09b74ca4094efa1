/** Jobs of `POST /v2/tokenize` and `POST /v2/detokenize`. A text may be anything that a prompt may be. */
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { type Detokenized, MAX_TOKENIZED, type Tokenized } from '@gptj-cloud/protocol';
import { TokenizerError, tokenText } from '@gptj-cloud/tokenizer';
import { createCharacterCounter } from '../../generation/character-counter.ts';
import { createFieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';
import type { TextModel } from '../../generation/text-model.ts';
import { parseJsonFields } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';

/** Reads a text and gives its tokens. */
export const READ_TOKENIZE: Job<TextModel, { readonly body: Uint8Array }, Tokenized> = {
  name: 'tokenize',
  what: 'the text',
  size: ({ body }) => body.length,
  run(model, { body }) {
    const { tokenizer } = model;
    const fields = createFieldReader(parseJsonFields(body));
    const text = fields.text('text') ?? missing('text', 'a string');
    const tokens = encode(model, text, fields.boolean('split_special_tokens') ?? false);
    const counter = createCharacterCounter();
    return {
      tokens: [...tokens],
      texts: tokens.map((token) => tokenText(tokenizer, token)),
      offsets: tokens.map((token) => counter.advance(tokenizer.tokenBytes(token))),
    };
  },
  moved: ({ body }) => [body],
};

/** Reads token ids and gives their text. */
export const READ_DETOKENIZE: Job<TextModel, { readonly body: Uint8Array }, Detokenized> = {
  name: 'detokenize',
  what: 'the tokens',
  size: ({ body }) => body.length,
  run({ tokenizer }, { body }) {
    const fields = createFieldReader(parseJsonFields(body));
    const tokens = readTokenIds('tokens', fields.value('tokens'), tokenizer.vocabSize);
    const skipSpecial = fields.boolean('skip_special_tokens') ?? false;
    return {
      text: tokenizer.decode(tokens, { skipSpecial }),
      texts: tokens.map((token) => tokenText(tokenizer, token)),
    };
  },
  moved: ({ body }) => [body],
};

function encode({ tokenizer }: TextModel, text: string, splitSpecialTokens: boolean): readonly TokenId[] {
  try {
    return tokenizer.encode(text, { limit: MAX_TOKENIZED, splitSpecialTokens });
  } catch (error) {
    if (!(error instanceof TokenizerError) || error.code !== 'too_many_tokens') throw error;
    throw refuseOption('text', `expected at most ${MAX_TOKENIZED} tokens, got more; send it in parts`);
  }
}

function readTokenIds(name: string, value: JsonValue | undefined, vocabSize: number): readonly TokenId[] {
  if (value === undefined) return missing(name, 'an array of token ids');
  if (!Array.isArray(value)) throw refuseField(name, 'an array of token ids', value);
  if (value.length > MAX_TOKENIZED) {
    throw refuseOption(name, `expected at most ${MAX_TOKENIZED} token ids, got ${value.length}; send them in parts`);
  }
  return value.map((id) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabSize) return id;
    throw refuseField(name, `token ids from 0 to ${vocabSize - 1}`, id);
  });
}

function missing(name: string, expected: string): never {
  throw refuseOption(name, `expected ${expected}, got nothing`);
}
