import type { TokenId } from '@gptj-cloud/model';
import type { SequenceBias } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import type { ParameterSituation } from './parameter-record.ts';
import { type Fields, refuse, toList, toNumber, toText, toTokenId, toTokenIds } from './read-value.ts';

/** Token ids of a text. Throws when the caller has no tokenizer or the text is empty. */
function encodeWord(name: string, value: unknown, context: ParameterContext): readonly TokenId[] {
  const text = toText(name, value, 'non-empty strings');
  if (context.encodeText === undefined) {
    throw new ParameterError(
      'unsupported_parameter',
      [name],
      `${name}: text needs a tokenizer, and there is none here; send token ids`,
    );
  }
  const tokens = context.encodeText(text);
  if (tokens.length === 0) refuse(name, 'strings of at least one token', text);
  if (tokens.length > LIMITS.wordLength) {
    throw new ParameterError(
      'limit_exceeded',
      [name],
      `${name}: expected strings of at most ${LIMITS.wordLength} tokens, got ${tokens.length}`,
    );
  }
  return tokens;
}

/** Token ids, or a text in their place. */
export function toWord(name: string, value: unknown, context: ParameterContext): readonly TokenId[] {
  return typeof value === 'string'
    ? encodeWord(name, value, context)
    : toTokenIds(name, value, context.vocabSize, LIMITS.wordLength);
}

/** Throws `limit_exceeded` when the words together have more than `max` ids. */
export function limitTotal(name: string, words: readonly (readonly TokenId[])[], max: number = LIMITS.totalIds): void {
  const total = words.reduce((sum, word) => sum + word.length, 0);
  if (total > max) {
    throw new ParameterError(
      'limit_exceeded',
      [name],
      `${name}: expected at most ${max} token ids in total, got ${total}`,
    );
  }
}

/** Ids, possibly none (`suppress_tokens`). */
export function readIdList(fields: Fields, name: string, context: ParameterContext): readonly TokenId[] {
  const value = fields.get(name);
  if (value === undefined) return [];
  return toList(name, value, 'an array of token ids', context.vocabSize).map((id) =>
    toTokenId(name, id, context.vocabSize),
  );
}

/**
 * `bad_words_ids` and its text form `bad_words`, in which a word is forbidden both as sent and after a space, as in
 * running text. A word that is an EOS alone is dropped, as transformers does.
 */
export function readBadWords(
  fields: Fields,
  { compat, context, eosTokenIds }: ParameterSituation,
): readonly (readonly TokenId[])[] {
  const words: (readonly TokenId[])[] = [];
  const ids = fields.get('bad_words_ids');
  if (ids !== undefined) {
    const name = 'bad_words_ids';
    const list = toList(name, ids, 'a non-empty array of arrays of token ids', LIMITS.listEntries);
    if (list.length === 0) refuse(name, 'at least one array of token ids', ids);
    for (const entry of list) {
      const word = toTokenIds(name, entry, Number.MAX_SAFE_INTEGER, LIMITS.wordLength);
      if (word.every((id) => id < context.vocabSize)) words.push(word);
      else if (word.length === 1 || compat === '5.18') {
        // transformers 4.24 ignores longer words with such ids.
        refuse(name, `token ids from 0 to ${context.vocabSize - 1}`, entry);
      }
    }
  }
  const texts = fields.get('bad_words');
  if (texts !== undefined) {
    const name = 'bad_words';
    const list = toList(name, texts, 'a non-empty array of strings', LIMITS.listEntries);
    if (list.length === 0) refuse(name, 'at least one string', texts);
    for (const text of list) {
      words.push(encodeWord(name, text, context));
      if (typeof text === 'string' && !text.startsWith(' ')) words.push(encodeWord(name, ` ${text}`, context));
    }
  }
  limitTotal('bad_words_ids', words);
  return words.filter((word) => word.length > 1 || !eosTokenIds.includes(word[0]!));
}

/** `sequence_bias`: pairs of ids (or text) and bias, or an object from text to bias. Of a repeated key the last value applies. */
export function readSequenceBias(fields: Fields, context: ParameterContext): readonly SequenceBias[] {
  const name = 'sequence_bias';
  const value = fields.get(name);
  if (value === undefined) return [];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const pairs = toList(
    name,
    isObject ? Object.entries(value) : value,
    'a non-empty array of pairs [[token ids], bias]',
    LIMITS.listEntries,
  );
  if (pairs.length === 0) refuse(name, 'at least one pair [[token ids], bias]', value);
  const biases = new Map<string, SequenceBias>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) refuse(name, 'pairs [[token ids], bias]', pair);
    const tokens = toWord(name, pair[0], context);
    const bias = pair[1] === Number.NEGATIVE_INFINITY ? pair[1] : toNumber(name, pair[1]);
    biases.set(tokens.join(), { tokens, bias });
  }
  const list = [...biases.values()];
  limitTotal(
    name,
    list.map((entry) => entry.tokens),
  );
  return list;
}
