import { type AddedTokenEntry, assignAddedTokens } from './assign-added-tokens.ts';
import type { TokenId } from './token.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { TokenizerData } from './vocabulary.ts';

export interface TokenizerJsonOptions {
  /**
   * Entries of the model that will be used (`config.vocabSize`). Ids without a token are unused; tokens with an id at
   * or past it are dropped, as the model has no row for them. Default: as many as the file has.
   */
  readonly vocabSize?: number;
}

/** No vocabulary comes near this; ids beyond it are an attack on memory. */
const MAX_TOKENS = 1 << 20;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Read a Hugging Face `tokenizer.json` of the GPT-2 family. Merges may be `"a b"` or `["a", "b"]`.
 *
 * Throws `unsupported_tokenizer` for another model, normaliser, pre-tokeniser, post-processor, decoder or setting than
 * GPT-2's, `invalid_vocabulary` and `invalid_merges` for malformed data.
 *
 * @param json the parsed file
 */
export function parseTokenizerJson(json: unknown, options?: TokenizerJsonOptions): TokenizerData {
  const file = fieldsOf(json, 'tokenizer.json', 'invalid_vocabulary');
  const model = fieldsOf(file.model, 'model', 'invalid_vocabulary');
  checkSupported(file, model);

  const vocabulary = new Map<string, TokenId>();
  for (const [token, id] of Object.entries(fieldsOf(model.vocab, 'model.vocab', 'invalid_vocabulary'))) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_TOKENS) {
      throw invalid(`model.vocab: expected an id from 0 to ${MAX_TOKENS - 1}, got ${JSON.stringify(id)}`);
    }
    vocabulary.set(token, id);
  }
  const entries = arrayOf(file.added_tokens ?? [], 'added_tokens', 'invalid_vocabulary').map(parseAddedToken);
  const added = assignAddedTokens(vocabulary, entries);

  const spelled = new Map<TokenId, string>();
  const all = [...vocabulary, ...added.map(({ content, id }): [string, TokenId] => [content, id])];
  const size = options?.vocabSize ?? all.reduce((largest, [, id]) => Math.max(largest, id), -1) + 1;
  for (const [token, id] of all) {
    if (id >= size) continue;
    const earlier = spelled.get(id);
    if (earlier !== undefined && earlier !== token) {
      throw invalid(`id ${id} is both ${JSON.stringify(earlier)} and ${JSON.stringify(token)}`);
    }
    spelled.set(id, token);
  }
  const ids = Array.from({ length: size }, (_, id) => id);
  return {
    tokens: ids.map((id) => spelled.get(id) ?? ''),
    merges: arrayOf(model.merges, 'model.merges', 'invalid_merges').map(parseMerge),
    addedTokens: added.filter(({ id }) => id < size),
    unused: ids.filter((id) => !spelled.has(id)),
  };
}

function checkSupported(file: Fields, model: Fields): void {
  const expect = (name: string, value: unknown, allowed: readonly unknown[]): void => {
    if (allowed.includes(value)) return;
    const wanted = allowed.map((one) => JSON.stringify(one) ?? 'nothing').join(' or ');
    throw new TokenizerError('unsupported_tokenizer', `${name}: expected ${wanted}, got ${JSON.stringify(value)}`);
  };
  expect('model.type', model.type, ['BPE', undefined]);
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    expect(`model.${name}`, model[name], [null, '', undefined]);
  }
  for (const name of ['byte_fallback', 'ignore_merges']) expect(`model.${name}`, model[name], [false, null, undefined]);
  expect('model.dropout', model.dropout, [null, 0, undefined]);
  expect('normalizer', file.normalizer, [null, undefined]);
  const preTokenizer = fieldsOf(file.pre_tokenizer, 'pre_tokenizer', 'unsupported_tokenizer');
  expect('pre_tokenizer.type', preTokenizer.type, ['ByteLevel']);
  expect('pre_tokenizer.add_prefix_space', preTokenizer.add_prefix_space, [false]);
  expect('pre_tokenizer.use_regex', preTokenizer.use_regex, [true, undefined]);
  // ByteLevel as a post-processor moves offsets only; another one adds tokens of its own.
  const partType = (part: unknown): unknown =>
    typeof part === 'object' && part !== null ? (part as Fields).type : part;
  expect('post_processor.type', partType(file.post_processor), ['ByteLevel', null, undefined]);
  expect('decoder.type', partType(file.decoder), ['ByteLevel', undefined]);
}

function parseAddedToken(json: unknown): AddedTokenEntry {
  const entry = fieldsOf(json, 'added_tokens', 'invalid_vocabulary');
  const { content } = entry;
  if (typeof content !== 'string') throw invalid(`added_tokens: expected a string, got ${kindOf(content)}`);
  const flag = (name: string, fallback: boolean): boolean => {
    const value = entry[name] ?? fallback;
    if (typeof value === 'boolean') return value;
    throw invalid(`added_tokens: ${name}: expected true or false, got ${kindOf(value)}`);
  };
  const special = flag('special', false);
  return {
    content,
    special,
    lstrip: flag('lstrip', false),
    rstrip: flag('rstrip', false),
    singleWord: flag('single_word', false),
    normalized: flag('normalized', !special),
  };
}

function parseMerge(merge: unknown, rank: number): string {
  if (typeof merge === 'string') return merge;
  const [left, right, ...more]: readonly unknown[] = Array.isArray(merge) ? merge : [];
  if (typeof left === 'string' && typeof right === 'string' && more.length === 0) return `${left} ${right}`;
  throw new TokenizerError('invalid_merges', `merge ${rank}: expected "a b" or ["a", "b"], got ${kindOf(merge)}`);
}

function fieldsOf(value: unknown, where: string, code: 'invalid_vocabulary' | 'unsupported_tokenizer'): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TokenizerError(code, `${where}: expected an object, got ${kindOf(value)}`);
}

function arrayOf(value: unknown, where: string, code: 'invalid_vocabulary' | 'invalid_merges'): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TokenizerError(code, `${where}: expected an array, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : value === undefined ? 'nothing' : typeof value;
}

function invalid(message: string): TokenizerError {
  return new TokenizerError('invalid_vocabulary', message);
}
