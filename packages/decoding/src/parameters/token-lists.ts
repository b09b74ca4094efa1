import type { TokenId } from '@gptj-cloud/model';
import type { CompatVersion, SequenceBias } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ModelContext } from './parameter-context.ts';
import type { ParameterSituation } from './parameter-record.ts';
import { limitIds, toFilledList, toList, toTokenIds, toWordList } from './read-list.ts';
import { type Fields, refuse, toNumber, toText, toTokenId } from './read-value.ts';

/** Token ids of a text. Throws when the caller has no tokenizer or the text is empty. */
function encodeWord(name: string, value: unknown, context: ModelContext): readonly TokenId[] {
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
export function toWord(name: string, value: unknown, context: ModelContext): readonly TokenId[] {
  return typeof value === 'string'
    ? encodeWord(name, value, context)
    : toTokenIds(name, value, context.vocabSize, LIMITS.wordLength);
}

/** Ids, possibly none (`suppress_tokens`). */
export function readIdList(fields: Fields, name: string, context: ModelContext): readonly TokenId[] {
  const value = fields.get(name);
  if (value === undefined) return [];
  const shape = { what: 'an array of token ids', max: context.vocabSize };
  return toList(name, value, shape, (id) => toTokenId(name, id, context.vocabSize));
}

/**
 * `bad_words_ids` and its text form `bad_words`, in which a word is forbidden both as sent and after a space, as in
 * running text. A word that is an EOS alone is dropped, as transformers does.
 */
export function readBadWords(
  fields: Fields,
  { compat, context, eosTokenIds }: ParameterSituation,
): readonly (readonly TokenId[])[] {
  const words = [...readBadWordIds(fields, compat, context), ...readBadWordTexts(fields, context)];
  limitTotal('bad_words_ids', words);
  const eos = new Set(eosTokenIds);
  return words.filter((word) => word.length > 1 || !eos.has(word[0]!));
}

function readBadWordIds(
  fields: Fields,
  compat: CompatVersion,
  { vocabSize }: ModelContext,
): readonly (readonly TokenId[])[] {
  const name = 'bad_words_ids';
  const value = fields.get(name);
  if (value === undefined) return [];
  const shape = {
    what: 'a non-empty array of arrays of token ids',
    max: LIMITS.listEntries,
    maxIds: LIMITS.totalIds,
  };
  const words = toWordList(name, value, shape, (entry) => {
    const word = toTokenIds(name, entry, Number.MAX_SAFE_INTEGER, LIMITS.wordLength);
    if (word.every((id) => id < vocabSize)) return word;
    // transformers 4.24 ignores longer words with such ids.
    if (word.length === 1 || compat === '5.18') refuse(name, `token ids from 0 to ${vocabSize - 1}`, entry);
    return null;
  });
  if (words.length === 0) refuse(name, 'at least one array of token ids', value);
  return words.filter((word) => word !== null);
}

function readBadWordTexts(fields: Fields, context: ModelContext): readonly (readonly TokenId[])[] {
  const name = 'bad_words';
  const value = fields.get(name);
  if (value === undefined) return [];
  const shape = { what: 'a non-empty array of strings', max: LIMITS.listEntries, whenEmpty: 'at least one string' };
  return toFilledList(name, value, shape, (text) => {
    const word = encodeWord(name, text, context);
    return typeof text === 'string' && !text.startsWith(' ') ? [word, encodeWord(name, ` ${text}`, context)] : [word];
  }).flat();
}

/** Throws `limit_exceeded` when the words, texts among them, have too many ids together. */
function limitTotal(name: string, words: readonly (readonly TokenId[])[]): void {
  limitIds(
    name,
    words.reduce((sum, word) => sum + word.length, 0),
    LIMITS.totalIds,
  );
}

/** `sequence_bias`: pairs of ids (or text) and bias, or an object from text to bias. Of a repeated key the last value applies. */
export function readSequenceBias(fields: Fields, context: ModelContext): readonly SequenceBias[] {
  const name = 'sequence_bias';
  const value = fields.get(name);
  if (value === undefined) return [];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const shape = {
    what: 'a non-empty array of pairs [[token ids], bias]',
    max: LIMITS.listEntries,
    whenEmpty: 'at least one pair [[token ids], bias]',
  };
  const pairs = toFilledList(name, isObject ? Object.entries(value) : value, shape, (pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) refuse(name, 'pairs [[token ids], bias]', pair);
    const tokens = toWord(name, pair[0], context);
    return { tokens, bias: pair[1] === Number.NEGATIVE_INFINITY ? pair[1] : toNumber(name, pair[1]) };
  });
  const biases = new Map(pairs.map((pair) => [pair.tokens.join(), pair] as const));
  const list = [...biases.values()];
  limitTotal(
    name,
    list.map((entry) => entry.tokens),
  );
  return list;
}
