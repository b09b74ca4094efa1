/**
 * The tokenizer that `AutoTokenizer.from_pretrained` of transformers 5.18 builds from a GPT-J folder: tokenizer.json, or
 * vocab.json and merges.txt, and the added tokens that tokenizer_config.json and its older companions name.
 */
import { type AddedTokenEntry, assignAddedTokens, parseAddedToken } from './assign-added-tokens.ts';
import { type BpeModel, joinVocabulary, parseBpeModel } from './bpe-model.ts';
import { type Fields, fieldsOf, isFields, kindOf } from './json-fields.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { readTokenizerJson, type TokenizerJson } from './tokenizer-json.ts';
import type { TokenizerData } from './vocabulary.ts';

/** Contents of the files, parsed where they are JSON; undefined for a file that is not there. */
export interface TokenizerFiles {
  readonly tokenizerJson?: unknown;
  readonly vocabJson?: unknown;
  /** Text of merges.txt. */
  readonly mergesText?: string | undefined;
  readonly tokenizerConfig?: unknown;
  readonly specialTokensMap?: unknown;
  readonly addedTokensJson?: unknown;
}

export interface ParsedTokenizerFiles {
  readonly data: TokenizerData;
  /** Contents of added tokens that were left out because the model has no row for them. */
  readonly dropped: readonly string[];
}

/** Classes that build GPT-2's tokenizer from the vocabulary and the merges alone. */
const GPT2_CLASSES: readonly unknown[] = ['GPT2Tokenizer', 'CodeGenTokenizer'];

/** Classes that load tokenizer.json as it is. */
const GENERIC_CLASSES: readonly unknown[] = ['PreTrainedTokenizer', 'TokenizersBackend'];

const NAMED_TOKENS: readonly string[] = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map(
  (name) => `${name}_token`,
);

const END_OF_TEXT = '<|endoftext|>';
const GPT2_DEFAULTS: Fields = { bos_token: END_OF_TEXT, eos_token: END_OF_TEXT, unk_token: END_OF_TEXT };

/**
 * Throws `unsupported_tokenizer` for settings that GPT-2's tokenizer does not have, `invalid_vocabulary` and `invalid_merges`.
 *
 * @param vocabSize rows of the model's embedding
 */
export function parseTokenizerFiles(files: TokenizerFiles, vocabSize: number): ParsedTokenizerFiles {
  const config = optionalFields(files.tokenizerConfig, 'tokenizer_config.json') ?? {};
  const isGpt2 = checkClass(config, files.tokenizerJson !== undefined);
  checkConfig(config, files.tokenizerJson !== undefined);
  const { model, fromJson } = readModel(files, isGpt2);
  const special = readSpecialTokens(files, config, isGpt2);
  const roles = new Set(special.named.map(({ content }) => content));
  const listed = [
    ...(isGpt2 ? [] : fromJson),
    ...listDecoder(files, config, fromJson, special).map((entry) =>
      roles.has(entry.content) ? { ...entry, special: true } : entry,
    ),
  ];
  const known = new Set(listed.map(({ content }) => content));
  const others = [...special.named, ...special.extra].filter(({ content }) => !known.has(content));
  const added = assignAddedTokens(model.vocabulary, [...listed, ...others]);
  return {
    data: joinVocabulary(model, added, vocabSize),
    dropped: added.filter(({ id }) => id >= vocabSize).map(({ content }) => content),
  };
}

/** Whether the class builds from vocabulary and merges. */
function checkClass(config: Fields, hasJson: boolean): boolean {
  const name = config.tokenizer_class ?? 'GPT2Tokenizer';
  const base = typeof name === 'string' ? name.replace(/Fast$/, '') : name;
  if (GPT2_CLASSES.includes(base)) return true;
  if (hasJson && GENERIC_CLASSES.includes(base)) return false;
  const classes = [...GPT2_CLASSES, ...(hasJson ? GENERIC_CLASSES : [])].join(', ');
  throw unsupported(`tokenizer_config.json: tokenizer_class: expected one of ${classes}, got ${JSON.stringify(name)}`);
}

function checkConfig(config: Fields, hasJson: boolean): void {
  // transformers reads add_bos_token and add_eos_token only where there is no tokenizer.json.
  const names = ['add_prefix_space', 'split_special_tokens', ...(hasJson ? [] : ['add_bos_token', 'add_eos_token'])];
  for (const name of names) {
    const value = config[name] ?? false;
    if (value !== false) {
      throw unsupported(`tokenizer_config.json: ${name}: expected false, got ${JSON.stringify(value)}`);
    }
  }
}

function readModel(
  files: TokenizerFiles,
  isGpt2: boolean,
): { model: BpeModel; fromJson: TokenizerJson['addedTokens'] } {
  if (files.tokenizerJson !== undefined) {
    const { model, addedTokens } = readTokenizerJson(files.tokenizerJson, isGpt2);
    return { model, fromJson: addedTokens };
  }
  const lines = (files.mergesText ?? '').split(/\r?\n/);
  const merges = lines.filter((line) => line !== '' && !line.startsWith('#version'));
  return { model: parseBpeModel(files.vocabJson, merges), fromJson: [] };
}

/** `added_tokens_decoder` of tokenizer_config.json by rising id; without it, the tokens of the older files. */
function listDecoder(
  files: TokenizerFiles,
  config: Fields,
  fromJson: TokenizerJson['addedTokens'],
  special: SpecialTokens,
): readonly AddedTokenEntry[] {
  const byId = new Map<number, AddedTokenEntry>();
  const set = (id: unknown, entry: AddedTokenEntry, where: string): void => {
    const number = typeof id === 'string' ? Number(id) : id;
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
      throw new TokenizerError('invalid_vocabulary', `${where}: expected an integer id, got ${JSON.stringify(id)}`);
    }
    byId.set(number, entry);
  };
  if (config.added_tokens_decoder !== undefined) {
    const where = 'tokenizer_config.json: added_tokens_decoder';
    for (const [id, entry] of Object.entries(fieldsOf(config.added_tokens_decoder, where, 'invalid_vocabulary'))) {
      set(id, parseAddedToken(fieldsOf(entry, where, 'invalid_vocabulary'), where), where);
    }
  } else {
    const where = 'added_tokens.json';
    for (const [content, id] of Object.entries(optionalFields(files.addedTokensJson, where) ?? {})) {
      set(id, parseAddedToken({ content, special: special.configured.has(content) }, where), where);
    }
    for (const { id, ...entry } of fromJson) set(id, entry, 'added_tokens');
  }
  return [...byId].sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

interface SpecialTokens {
  /** Tokens with a role, such as end of text and padding: as the files name them, else as the class does. */
  readonly named: readonly AddedTokenEntry[];
  /** Further special tokens. */
  readonly extra: readonly AddedTokenEntry[];
  /** Contents that the files themselves name. */
  readonly configured: ReadonlySet<string>;
}

function readSpecialTokens(files: TokenizerFiles, config: Fields, isGpt2: boolean): SpecialTokens {
  const isOlder = config.added_tokens_decoder === undefined;
  const map = isOlder ? (optionalFields(files.specialTokensMap, 'special_tokens_map.json') ?? {}) : {};
  const all: Fields = { ...config, ...map };
  const further = Object.keys(all).filter(
    (key) => key.endsWith('_token') && !NAMED_TOKENS.includes(key) && typeof all[key] === 'string',
  );
  const lists = [config, map].flatMap((fields) => [fields.extra_special_tokens, fields.additional_special_tokens]);
  const list = lists.find((value) => value !== undefined && value !== null) ?? [];
  const extra: readonly unknown[] = Array.isArray(list) ? list : isFields(list) ? Object.values(list) : [list];
  const entries = (values: readonly unknown[]): readonly AddedTokenEntry[] =>
    values.filter((value) => value !== null && value !== undefined).map(specialEntry);
  const extraEntries = entries(extra);
  const withDefaults: Fields = { ...(isGpt2 ? GPT2_DEFAULTS : {}), ...all };
  return {
    named: entries([...NAMED_TOKENS, ...further].map((name) => withDefaults[name])),
    extra: extraEntries,
    configured: new Set(
      [...entries(NAMED_TOKENS.map((name) => all[name])), ...extraEntries].map(({ content }) => content),
    ),
  };
}

function specialEntry(value: unknown): AddedTokenEntry {
  const where = 'special token';
  if (typeof value === 'string') return parseAddedToken({ content: value, special: true }, where);
  if (isFields(value)) return { ...parseAddedToken({ normalized: true, ...value }, where), special: true };
  throw new TokenizerError('invalid_vocabulary', `${where}: expected a string or an object, got ${kindOf(value)}`);
}

function optionalFields(value: unknown, where: string): Fields | undefined {
  return value === undefined ? undefined : fieldsOf(value, where, 'invalid_vocabulary');
}

function unsupported(message: string): TokenizerError {
  return new TokenizerError('unsupported_tokenizer', message);
}
