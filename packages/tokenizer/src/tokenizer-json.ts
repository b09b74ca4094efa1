import type { TokenId } from './token.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { TokenizerData } from './vocabulary.ts';

export interface TokenizerJsonOptions {
  /**
   * Entries of the model that will be used (`config.vocabSize`); the vocabulary is padded to it with unused, empty
   * tokens. Default: as many as the file has.
   */
  readonly vocabSize?: number;
}

/** No vocabulary comes near this; ids beyond it are an attack on memory. */
const MAX_TOKENS = 1 << 20;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Read a Hugging Face `tokenizer.json` of the GPT-2 family. Merges may be `"a b"` or `["a", "b"]`. Added tokens that
 * the file calls special become special, other added tokens become unused. The post-processor is not read: encoding
 * adds no tokens of its own.
 *
 * Throws `unsupported_tokenizer` for another model, normaliser, pre-tokeniser or setting than GPT-2's,
 * `invalid_vocabulary` and `invalid_merges` for malformed data.
 *
 * @param json the parsed file
 */
export function parseTokenizerJson(json: unknown, options?: TokenizerJsonOptions): TokenizerData {
  const file = fieldsOf(json, 'tokenizer.json', 'invalid_vocabulary');
  const model = fieldsOf(file.model, 'model', 'invalid_vocabulary');
  checkSupported(file, model);

  const spelled = new Map<TokenId, string>();
  const add = (id: unknown, token: unknown, where: string): TokenId => {
    if (typeof token !== 'string') throw invalid(`${where}: expected a string, got ${typeof token}`);
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_TOKENS) {
      throw invalid(`${where}: expected an id from 0 to ${MAX_TOKENS - 1}, got ${JSON.stringify(id)}`);
    }
    const earlier = spelled.get(id);
    if (earlier !== undefined && earlier !== token) {
      throw invalid(`${where}: id ${id} is both ${JSON.stringify(earlier)} and ${JSON.stringify(token)}`);
    }
    spelled.set(id, token);
    return id;
  };
  for (const [token, id] of Object.entries(fieldsOf(model.vocab, 'model.vocab', 'invalid_vocabulary'))) {
    add(id, token, 'model.vocab');
  }
  const special: TokenId[] = [];
  const unused: TokenId[] = [];
  for (const entry of listOf(file.added_tokens ?? [], 'added_tokens', 'invalid_vocabulary')) {
    const added = fieldsOf(entry, 'added_tokens', 'invalid_vocabulary');
    (added.special === true ? special : unused).push(add(added.id, added.content, 'added_tokens'));
  }

  const size = options?.vocabSize ?? spelled.size;
  if (spelled.size > size) throw invalid(`expected at most ${size} tokens, as the model has, got ${spelled.size}`);
  const tokens: string[] = [];
  for (let id = 0; id < size; id++) {
    const token = spelled.get(id);
    if (token === undefined && id < spelled.size) throw invalid(`expected ids without a hole, id ${id} is missing`);
    if (token === undefined) unused.push(id);
    tokens.push(token ?? '');
  }
  const merges = listOf(model.merges, 'model.merges', 'invalid_merges').map(parseMerge);
  return { tokens, merges, special, unused };
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
  for (const name of ['byte_fallback', 'ignore_merges']) expect(`model.${name}`, model[name], [false, undefined]);
  expect('model.dropout', model.dropout, [null, 0, undefined]);
  expect('normalizer', file.normalizer, [null, undefined]);
  const preTokenizer = fieldsOf(file.pre_tokenizer, 'pre_tokenizer', 'unsupported_tokenizer');
  expect('pre_tokenizer.type', preTokenizer.type, ['ByteLevel']);
  expect('pre_tokenizer.add_prefix_space', preTokenizer.add_prefix_space, [false]);
  expect('pre_tokenizer.use_regex', preTokenizer.use_regex, [true, undefined]);
}

function parseMerge(merge: unknown, rank: number): string {
  if (typeof merge === 'string') return merge;
  const [left, right, ...more]: readonly unknown[] = Array.isArray(merge) ? merge : [];
  if (typeof left === 'string' && typeof right === 'string' && more.length === 0) return `${left} ${right}`;
  throw new TokenizerError('invalid_merges', `merge ${rank}: expected "a b" or ["a", "b"], got ${typeof merge}`);
}

function fieldsOf(value: unknown, where: string, code: 'invalid_vocabulary' | 'unsupported_tokenizer'): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TokenizerError(code, `${where}: expected an object, got ${kindOf(value)}`);
}

function listOf(value: unknown, where: string, code: 'invalid_vocabulary' | 'invalid_merges'): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TokenizerError(code, `${where}: expected a list, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : value === undefined ? 'nothing' : typeof value;
}

function invalid(message: string): TokenizerError {
  return new TokenizerError('invalid_vocabulary', message);
}
