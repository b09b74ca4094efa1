/** Jobs of `POST /v2/tokenize` and `POST /v2/detokenize`. A text may be anything that a prompt may be. */
import type { Detokenized, Tokenized } from '@gptj-cloud/protocol';
import { tokenText } from '@gptj-cloud/tokenizer';
import { createCharacterCounter } from '../../generation/character-counter.ts';
import { createFieldReader, refuseOption } from '../../generation/field-reader.ts';
import { chooseModel, type TextModel } from '../../generation/text-model.ts';
import { parseJsonFields } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';
import { encodeText, readTokenIds } from '../token-ids.ts';

/** Reads a text and gives its tokens. */
export const READ_TOKENIZE: Job<TextModel, { readonly body: Uint8Array }, Tokenized> = {
  name: 'tokenize',
  what: 'the text',
  size: ({ body }) => body.length,
  run(served, { body }) {
    const fields = createFieldReader(parseJsonFields(body));
    const model = chooseModel(served, fields.text('model'));
    const { tokenizer } = model;
    const text = fields.text('text');
    if (text === undefined) throw refuseOption('text', 'expected a string, got nothing');
    const tokens = encodeText(model, 'text', text, fields.boolean('split_special_tokens') ?? false);
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
  run(served, { body }) {
    const fields = createFieldReader(parseJsonFields(body));
    const { tokenizer } = chooseModel(served, fields.text('model'));
    const tokens = readTokenIds('tokens', fields.value('tokens'), tokenizer.vocabSize);
    const skipSpecial = fields.boolean('skip_special_tokens') ?? false;
    return {
      text: tokenizer.decode(tokens, { skipSpecial }),
      texts: tokens.map((token) => tokenText(tokenizer, token)),
    };
  },
  moved: ({ body }) => [body],
};
