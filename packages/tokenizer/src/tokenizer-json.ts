import { type AddedTokenEntry, assignAddedTokens, parseAddedToken } from './assign-added-tokens.ts';
import { type BpeModel, joinVocabulary, parseBpeModel } from './bpe-model.ts';
import { arrayOf, type Fields, fieldsOf, isFields } from './json-fields.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { TokenizerData } from './vocabulary.ts';

export interface TokenizerJsonOptions {
  /** Rows of the model's embedding (`config.vocabSize`), see {@link joinVocabulary}. */
  readonly vocabSize?: number;
}

/** The parts of a `tokenizer.json`. */
export interface TokenizerJson {
  readonly model: BpeModel;
  /** `id` from the file: the library ignores it, transformers sorts by it. */
  readonly addedTokens: readonly (AddedTokenEntry & { readonly id: unknown })[];
}

/**
 * Read a Hugging Face `tokenizer.json` of the GPT-2 family, as `Tokenizer.from_file` of the `tokenizers` library does.
 *
 * Throws `unsupported_tokenizer` for another model, normaliser, pre-tokeniser, post-processor, decoder or setting than
 * GPT-2's, `invalid_vocabulary` and `invalid_merges` for malformed data.
 *
 * @param json the parsed file
 */
export function parseTokenizerJson(json: unknown, options?: TokenizerJsonOptions): TokenizerData {
  const { model, addedTokens } = readTokenizerJson(json);
  return joinVocabulary(model, assignAddedTokens(model.vocabulary, addedTokens), options?.vocabSize);
}

/**
 * {@link parseTokenizerJson} without ids for the added tokens.
 *
 * @param isRebuilt whether the tokenizer's class reads only the vocabulary and the merges from the file: a
 *   pre-tokeniser or decoder that is missing is then GPT-2's
 */
export function readTokenizerJson(json: unknown, isRebuilt = false): TokenizerJson {
  const file = fieldsOf(json, 'tokenizer.json', 'invalid_vocabulary');
  const model = fieldsOf(file.model, 'model', 'invalid_vocabulary');
  checkSupported(file, model, isRebuilt);
  const entries = arrayOf(file.added_tokens ?? [], 'added_tokens', 'invalid_vocabulary');
  return {
    model: parseBpeModel(model.vocab, model.merges),
    addedTokens: entries.map((entry) => {
      const fields = fieldsOf(entry, 'added_tokens', 'invalid_vocabulary');
      return { ...parseAddedToken(fields, 'added_tokens'), id: fields.id };
    }),
  };
}

function checkSupported(file: Fields, model: Fields, isRebuilt: boolean): void {
  const expect = (name: string, value: unknown, allowed: readonly unknown[]): void => {
    if (allowed.includes(value)) return;
    const wanted = allowed.map((one) => JSON.stringify(one) ?? 'nothing').join(' or ');
    const got = JSON.stringify(value)?.slice(0, 200);
    throw new TokenizerError('unsupported_tokenizer', `${name}: expected ${wanted}, got ${got}`);
  };
  expect('model.type', model.type, ['BPE', undefined]);
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    expect(`model.${name}`, model[name], [null, '', undefined]);
  }
  for (const name of ['byte_fallback', 'ignore_merges']) expect(`model.${name}`, model[name], [false, null, undefined]);
  expect('model.dropout', model.dropout, [null, 0, undefined]);
  expect('normalizer', file.normalizer, [null, undefined]);
  if (!isRebuilt || (file.pre_tokenizer ?? null) !== null) {
    const preTokenizer = fieldsOf(onlyPart(file.pre_tokenizer), 'pre_tokenizer', 'unsupported_tokenizer');
    expect('pre_tokenizer.type', preTokenizer.type, ['ByteLevel']);
    expect('pre_tokenizer.add_prefix_space', preTokenizer.add_prefix_space, [false]);
    expect('pre_tokenizer.use_regex', preTokenizer.use_regex, [true, undefined]);
  }
  // ByteLevel as a post-processor moves offsets only; another one may add tokens of its own.
  expect('post_processor.type', partType(file.post_processor), ['ByteLevel', null, undefined]);
  expect('decoder.type', partType(file.decoder), ['ByteLevel', undefined, ...(isRebuilt ? [null] : [])]);
}

/** The part of a `Sequence` of one; anything else is returned as it is. */
function onlyPart(json: unknown): unknown {
  if (!isFields(json) || json.type !== 'Sequence') return json;
  const parts = json.pretokenizers;
  return Array.isArray(parts) && parts.length === 1 ? parts[0] : json;
}

function partType(part: unknown): unknown {
  if (!isFields(part)) return part;
  // transformers 5 writes this for a tokenizer that adds no tokens: the template `$A`, and `$A $B` for pairs.
  const isPlain = part.type === 'TemplateProcessing' && isFields(part.special_tokens) && isTrivial(part.single);
  return isPlain ? null : part.type;
}

function isTrivial(template: unknown): boolean {
  return Array.isArray(template) && template.every((piece) => isFields(piece) && isFields(piece.Sequence));
}
