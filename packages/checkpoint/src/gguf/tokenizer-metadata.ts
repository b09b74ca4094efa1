/**
 * A tokenizer as `tokenizer.ggml.*` keys and back. llama.cpp's token types distinguish special tokens (`control`),
 * other added tokens (`user defined`) and rows without a token (`unused`). They have no room for the flags of added
 * tokens: `gptj.added_token_flags` stores them, one number for each added token by rising id, where any differ
 * from the library's defaults.
 */
import { type AddedToken, plainAddedToken, type TokenizerData } from '@gptj-cloud/tokenizer';
import { CheckpointError } from '../checkpoint-error.ts';
import type { GgufHeader } from './header.ts';
import { type GgufValue, metadataString } from './metadata.ts';

/** Kinds of tokens in a GGUF file (`enum llama_token_type`). */
const TOKEN_TYPE = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

/** Bits of `gptj.added_token_flags`. */
const FLAG = { lstrip: 1, rstrip: 2, singleWord: 4, normalized: 8 } as const;

const FLAGS_KEY = 'gptj.added_token_flags';

/** Up to 2026-11 this project wrote GPT-J's own added tokens as unused ones. */
const EXTRA_TOKEN = /^<\|extratoken_\d+\|>$/;

/** The metadata keys of a tokenizer. */
export function tokenizerMetadata(data: TokenizerData): readonly (readonly [string, GgufValue])[] {
  const { tokens, merges, addedTokens } = data;
  const unused = new Set(data.unused);
  const special = new Map(addedTokens.map((token) => [token.id, token.special]));
  const types = tokens.map((_, id) => {
    if (unused.has(id)) return TOKEN_TYPE.unused;
    const isSpecial = special.get(id);
    return isSpecial === undefined ? TOKEN_TYPE.normal : isSpecial ? TOKEN_TYPE.control : TOKEN_TYPE.userDefined;
  });
  const sorted = [...addedTokens].sort((a, b) => a.id - b.id);
  const flags = sorted.map(flagsOf);
  const isPlain = sorted.every((token, i) => flags[i] === flagsOf(plainAddedToken(token.id, 'x', token.special)));
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'gpt-2' }],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: nameUnused(tokens, unused) }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: types }],
    ['tokenizer.ggml.merges', { type: 'array', of: 'string', value: merges }],
    ...(isPlain ? [] : ([[FLAGS_KEY, { type: 'array', of: 'int32', value: flags }]] as const)),
  ];
}

/** llama.cpp requires a unique name for every row: `[PAD50300]`, as its converters write it. */
function nameUnused(tokens: readonly string[], unused: ReadonlySet<number>): readonly string[] {
  const taken = new Set(tokens);
  return tokens.map((token, id) => {
    if (!unused.has(id)) return token;
    let name = `[PAD${id}]`;
    while (taken.has(name)) name = `[${name}]`;
    taken.add(name);
    return name;
  });
}

/** The tokenizer of a phi2 export. Throws `invalid_tokenizer`. */
export function readTokenizerData(file: string, header: GgufHeader): TokenizerData {
  const { metadata } = header;
  const invalid = (message: string): CheckpointError => new CheckpointError('invalid_tokenizer', { file }, message);
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const merges = metadata.get('tokenizer.ggml.merges');
  const types = metadata.get('tokenizer.ggml.token_type');
  const rows = header.tensors.find(({ name }) => name === 'token_embd.weight')?.shape[0];
  if (
    metadataString(metadata, 'tokenizer.ggml.model') !== 'gpt2' ||
    !(tokens?.type === 'array' && tokens.of === 'string') ||
    !(merges?.type === 'array' && merges.of === 'string') ||
    !(types?.type === 'array' && types.of === 'int32')
  ) {
    throw invalid('expected tokenizer.ggml.model "gpt2" with tokens, merges and token_type');
  }
  if (tokens.value.length !== rows || types.value.length !== rows) {
    throw invalid(
      `expected ${rows} tokens and types as in token_embd.weight, got ${tokens.value.length} and ${types.value.length}`,
    );
  }
  const badMerge = merges.value.findIndex((merge) => merge.split(' ').length !== 2);
  if (badMerge >= 0) throw invalid(`expected merge ${badMerge} to be two tokens with a space between`);
  const typeOf = (id: number): number | undefined => types.value[id];
  const isUnused = (id: number): boolean => typeOf(id) === TOKEN_TYPE.unused && !EXTRA_TOKEN.test(tokens.value[id]!);
  const ids = tokens.value.map((_, id) => id);
  const addedTokens = ids
    .filter((id) => typeOf(id) !== TOKEN_TYPE.normal && !isUnused(id))
    .map((id) => plainAddedToken(id, tokens.value[id]!, typeOf(id) === TOKEN_TYPE.control));
  return {
    tokens: tokens.value.map((token, id) => (isUnused(id) ? '' : token)),
    merges: merges.value,
    addedTokens: withFlags(addedTokens, metadata.get(FLAGS_KEY), invalid),
    unused: ids.filter(isUnused),
  };
}

function withFlags(
  tokens: readonly AddedToken[],
  entry: GgufValue | undefined,
  invalid: (message: string) => CheckpointError,
): readonly AddedToken[] {
  if (entry === undefined) return tokens;
  if (entry.type !== 'array' || entry.of !== 'int32' || entry.value.length !== tokens.length) {
    throw invalid(`expected ${FLAGS_KEY} to be ${tokens.length} int32 numbers, as there are added tokens`);
  }
  return tokens.map((token, i) => {
    const flags = entry.value[i]!;
    return {
      ...token,
      lstrip: (flags & FLAG.lstrip) !== 0,
      rstrip: (flags & FLAG.rstrip) !== 0,
      singleWord: (flags & FLAG.singleWord) !== 0,
      normalized: (flags & FLAG.normalized) !== 0,
    };
  });
}

function flagsOf({ lstrip, rstrip, singleWord, normalized }: AddedToken): number {
  return (
    (lstrip ? FLAG.lstrip : 0) |
    (rstrip ? FLAG.rstrip : 0) |
    (singleWord ? FLAG.singleWord : 0) |
    (normalized ? FLAG.normalized : 0)
  );
}
