import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GptjConfig } from '@gptj-cloud/model';
import { readSmallJson, readSmallText } from './bounded-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { TOKEN_TYPE, type TokenizerData } from './tokenizer-data.ts';

/** GPT-J's tokenizer.json is 3.6 MB. */
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;

/** Rows that pad the embedding from 50257 to 50400: never written by training, so never to be spoken. */
const FILLER = /^<\|extratoken_\d+\|>$/;

interface Vocabulary {
  readonly file: string;
  readonly vocab: unknown;
  readonly merges: unknown;
  /** Pairs of text and id of the tokens beside the vocabulary. */
  readonly added: readonly { readonly text: string; readonly id: number }[];
}

/**
 * The tokenizer of a Hugging Face folder: tokenizer.json, else vocab.json + merges.txt (+ added_tokens.json).
 *
 * Ids without a token, up to `vocabSize`, become `<|extratoken_N|>` fillers. Throws `not_found`, `invalid_tokenizer`,
 * `malformed`, `too_large`.
 */
export async function readTokenizerFiles(folder: string, config: GptjConfig): Promise<TokenizerData> {
  const fast = join(folder, 'tokenizer.json');
  const { file, vocab, merges, added } = existsSync(fast) ? await readFast(fast) : await readSlow(folder);
  const invalid = (message: string): CheckpointError => new CheckpointError('invalid_tokenizer', { file }, message);
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) {
    throw invalid('expected the vocabulary to be an object from token to id');
  }
  const tokens = new Array<string | undefined>(config.vocabSize).fill(undefined);
  const place = (text: string, id: unknown): void => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= config.vocabSize) {
      throw invalid(
        `expected ids from 0 to ${config.vocabSize - 1}, got ${JSON.stringify(id)} for ${JSON.stringify(text)}`,
      );
    }
    const other = tokens[id];
    if (other !== undefined && other !== text) {
      throw invalid(`expected one token for id ${id}, got ${JSON.stringify(other)} and ${JSON.stringify(text)}`);
    }
    tokens[id] = text;
  };
  for (const [text, id] of Object.entries(vocab)) place(text, id);
  for (const { text, id } of added) place(text, id);
  const taken = new Set(tokens);
  let filler = 0;
  const filled = tokens.map((token) => {
    if (token !== undefined) return token;
    let text: string;
    do text = `<|extratoken_${++filler}|>`;
    while (taken.has(text));
    return text;
  });
  if (new Set(filled).size !== filled.length) throw invalid('expected every token once, got one text under two ids');
  return {
    tokens: filled,
    merges: parseMerges(merges, taken, invalid),
    tokenTypes: filled.map((text, id) => {
      if (id === config.eosTokenId || id === config.bosTokenId) return TOKEN_TYPE.control;
      return FILLER.test(text) ? TOKEN_TYPE.unused : TOKEN_TYPE.normal;
    }),
  };
}

function parseMerges(
  merges: unknown,
  tokens: ReadonlySet<string | undefined>,
  invalid: (message: string) => CheckpointError,
): readonly string[] {
  if (!Array.isArray(merges)) throw invalid('expected merges to be a list');
  return merges.map((merge: unknown, index) => {
    // Two spellings: "a b", and since tokenizers 0.20 ["a", "b"].
    const pair: readonly unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : [];
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string') {
      throw invalid(`expected merge ${index} to be two tokens, got ${JSON.stringify(merge)?.slice(0, 80)}`);
    }
    if (left.includes(' ') || right.includes(' ') || !tokens.has(left + right)) {
      throw invalid(
        `expected merge ${index} to give a token of the vocabulary, got ${JSON.stringify(merge)?.slice(0, 80)}`,
      );
    }
    return `${left} ${right}`;
  });
}

async function readFast(file: string): Promise<Vocabulary> {
  const json = await readSmallJson(file, MAX_TOKENIZER_BYTES);
  const model = field(json, 'model');
  const type = field(model, 'type');
  if (type !== 'BPE') {
    throw new CheckpointError('invalid_tokenizer', { file }, `expected model.type "BPE", got ${JSON.stringify(type)}`);
  }
  const listed = field(json, 'added_tokens') ?? [];
  const added = (Array.isArray(listed) ? listed : [null]).map((entry: unknown) => {
    const text = field(entry, 'content');
    const id = field(entry, 'id');
    if (typeof text !== 'string' || typeof id !== 'number') {
      throw new CheckpointError('invalid_tokenizer', { file }, 'expected added_tokens to be a list of {id, content}');
    }
    return { text, id };
  });
  return { file, vocab: field(model, 'vocab'), merges: field(model, 'merges'), added };
}

async function readSlow(folder: string): Promise<Vocabulary> {
  const file = join(folder, 'vocab.json');
  if (!existsSync(file)) {
    throw new CheckpointError(
      'not_found',
      { file: folder },
      'expected tokenizer.json, or vocab.json and merges.txt, found neither',
    );
  }
  const text = await readSmallText(join(folder, 'merges.txt'), MAX_TOKENIZER_BYTES);
  const merges = text.split('\n').filter((line) => line !== '' && !line.startsWith('#version'));
  const addedFile = join(folder, 'added_tokens.json');
  const addedJson = existsSync(addedFile) ? await readSmallJson(addedFile, MAX_TOKENIZER_BYTES) : {};
  const added = Object.entries(typeof addedJson === 'object' && addedJson !== null ? addedJson : {}).map(
    ([token, id]) => {
      if (typeof id !== 'number') {
        throw new CheckpointError('invalid_tokenizer', { file: addedFile }, 'expected an object from token to id');
      }
      return { text: token, id };
    },
  );
  return { file, vocab: await readSmallJson(file, MAX_TOKENIZER_BYTES), merges, added };
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const found: unknown = Reflect.get(value, name);
  return found;
}
