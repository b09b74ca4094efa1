/**
 * Jobs of `POST /tokenize` and `POST /detokenize`: the forms that text-generation-inference, vLLM and llama-server have at
 * the same address. The name of the text's field decides.
 */
import type { TokenId } from '@gptj-cloud/model';
import { createCharacterCounter } from '../../generation/character-counter.ts';
import { createFieldReader, type FieldReader, refuseOption } from '../../generation/field-reader.ts';
import { chooseModel, type TextModel } from '../../generation/text-model.ts';
import { parseJsonFields } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';
import { encodeText, readTokenIds } from '../token-ids.ts';

/** A token of text-generation-inference, with the characters (code points) of the text that it touches. */
export interface TgiToken {
  readonly id: TokenId;
  readonly text: string;
  readonly start: number;
  readonly stop: number;
}

export interface VllmTokens {
  readonly count: number;
  readonly max_model_len: number;
  readonly tokens: readonly TokenId[];
  readonly token_strs: readonly string[] | null;
}

/** A token of llama-server; the piece is an array of bytes where it is no text by itself. */
export interface LlamaToken {
  readonly id: TokenId;
  readonly piece: string | readonly number[];
}

export interface LlamaTokens {
  readonly tokens: readonly TokenId[] | readonly LlamaToken[];
}

export type ForeignTokens = readonly TgiToken[] | VllmTokens | LlamaTokens;

/** The text in the fields of both servers that have the address: vLLM and llama-server. */
export interface ForeignText {
  readonly prompt: string;
  readonly content: string;
}

const FORMS =
  'expected a string in "inputs" (text-generation-inference), "prompt" (vLLM) or "content" (llama-server), got none';

/** Reads a text and gives its tokens. */
export const READ_FOREIGN_TOKENS: Job<TextModel, { readonly body: Uint8Array }, ForeignTokens> = {
  name: 'foreign tokens',
  what: 'the text',
  size: ({ body }) => body.length,
  run(served, { body }) {
    const fields = createFieldReader(parseJsonFields(body));
    const model = chooseModel(served, fields.text('model'));
    const inputs = fields.text('inputs');
    if (inputs !== undefined) return toTgiTokens(model, inputs, fields);
    const prompt = fields.text('prompt');
    if (prompt !== undefined) return toVllmTokens(model, prompt, fields);
    const content = fields.text('content');
    if (content !== undefined) return toLlamaTokens(model, content, fields);
    if (fields.value('messages') !== undefined) {
      throw refuseOption('messages', 'GPT-J is not a chat model; send the conversation as one text in "prompt"');
    }
    throw refuseOption('inputs', FORMS);
  },
  moved: ({ body }) => [body],
};

/** Reads token ids and gives their text. */
export const READ_FOREIGN_TEXT: Job<TextModel, { readonly body: Uint8Array }, ForeignText> = {
  name: 'foreign text',
  what: 'the tokens',
  size: ({ body }) => body.length,
  run(served, { body }) {
    const fields = createFieldReader(parseJsonFields(body));
    const model = chooseModel(served, fields.text('model'));
    const tokens = readTokenIds('tokens', fields.value('tokens'), model.tokenizer.vocabSize);
    const text = model.tokenizer.decode(tokens, { skipSpecial: false });
    return { prompt: text, content: text };
  },
  moved: ({ body }) => [body],
};

function toTgiTokens(model: TextModel, text: string, fields: FieldReader): readonly TgiToken[] {
  const tokens = encodeText(model, 'inputs', text, fields.boolean('split_special_tokens') ?? false);
  const counter = createCharacterCounter();
  const starts = tokens.map((token) => counter.advance(model.tokenizer.tokenBytes(token)));
  const characters = Array.from(text);
  return tokens.map((id, at) => {
    const start = starts[at] ?? 0;
    const next = tokens[at + 1];
    const nextStart = starts[at + 1] ?? characters.length;
    // A character whose bytes are divided between two tokens belongs to both.
    const isShared = next !== undefined && isContinuation(model.tokenizer.tokenBytes(next)[0]);
    const stop = isShared ? nextStart + 1 : nextStart;
    return { id, text: characters.slice(start, stop).join(''), start, stop };
  });
}

function toVllmTokens(model: TextModel, text: string, fields: FieldReader): VllmTokens {
  // The tokenizer of GPT-J adds no token to a text.
  fields.boolean('add_special_tokens');
  const withTexts = fields.boolean('return_token_strs') ?? false;
  const tokens = encodeText(model, 'prompt', text, fields.boolean('split_special_tokens') ?? false);
  return {
    count: tokens.length,
    max_model_len: model.info.config.contextLength,
    tokens: [...tokens],
    token_strs: withTexts ? tokens.map((token) => model.tokenizer.decode([token], { skipSpecial: false })) : null,
  };
}

function toLlamaTokens(model: TextModel, text: string, fields: FieldReader): LlamaTokens {
  fields.boolean('add_special');
  const isParsed = fields.boolean('parse_special') ?? true;
  const withPieces = fields.boolean('with_pieces') ?? false;
  const isSplit = fields.boolean('split_special_tokens') ?? !isParsed;
  const tokens = encodeText(model, 'content', text, isSplit);
  if (!withPieces) return { tokens: [...tokens] };
  return { tokens: tokens.map((id) => ({ id, piece: pieceOf(model.tokenizer.tokenBytes(id)) })) };
}

function pieceOf(bytes: Uint8Array): string | readonly number[] {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return [...bytes];
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
