import type { TokenizedText } from '@gptj-cloud/sdk';
import { type Tokenizer, tokenText } from '@gptj-cloud/tokenizer';
import { writeJson } from '../client/api-json.ts';
import { chooseEngine, LOCAL_OPTION } from '../client/choose-engine.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import type { Command } from '../command.ts';
import { MODEL_OPTIONS, openLocalModel } from '../local-model.ts';
import { isOn, UsageError } from '../options.ts';
import { printable } from '../printable.ts';
import { PROMPT_OPTIONS, readPrompt } from '../read-prompt.ts';
import { renderTable } from '../table.ts';

/** Of the options of a model, a tokenizer needs the file alone. */
const LOCAL_OPTIONS = [LOCAL_OPTION, ...MODEL_OPTIONS.filter(({ name }) => name === 'model')];
const MAX_ID = 1_000_000;

export const tokenizeCommand: Command = {
  name: 'tokenize',
  summary: 'show the tokens of a text',
  about: 'Shows the tokens of a text as the model reads it in a prompt, and their number.',
  arguments: [{ name: 'TEXT', summary: 'the text; standard input without it, or for -', optional: true }],
  notes: [
    'It asks the server of the profile, of a variable or an option; else it reads the tokenizer of a model file.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        ...PROMPT_OPTIONS.map((option) => ({ ...option, summary: option.summary.replace('prompt', 'text') })),
        { name: 'ids', value: null, summary: 'print the token ids alone, on one line' },
        { name: 'count', value: null, summary: 'print the number of tokens alone' },
        { name: 'split-special-tokens', value: null, summary: 'read special tokens in the text as plain text' },
        ...LOCAL_OPTIONS,
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj tokenize "Once upon a time"', caption: 'each token with its id' },
    { line: 'gptj tokenize --file prompt.txt --count', caption: 'does it fit the context?' },
  ],

  async run(context, options) {
    const { stdin, stdout, signal } = context;
    const engine = await chooseEngine(context, options);
    const text = await readPrompt(stdin, options);
    const split = isOn(options, 'split-special-tokens');
    const tokenized =
      engine.api === null
        ? tokenizeLocally((await openLocalModel(context, options)).tokenizer, text, split)
        : await engine.api.text.tokenize(text, { splitSpecialTokens: split, signal });
    const { tokens, texts, offsets } = tokenized;
    if (isOn(options, 'json')) writeJson(stdout, tokenized);
    else if (isOn(options, 'count')) stdout.write(`${tokens.length}\n`);
    else if (isOn(options, 'ids')) stdout.write(`${tokens.join(' ')}\n`);
    else {
      const rows = tokens.map((id, at) => [String(offsets[at]), String(id), JSON.stringify(texts[at])]);
      const columns = [
        { title: 'offset', align: 'right' },
        { title: 'id', align: 'right' },
        { title: 'text' },
      ] as const;
      stdout.write(renderTable(columns, rows, stdout.columns ?? Number.POSITIVE_INFINITY));
    }
    await stdout.drained();
  },
};

export const detokenizeCommand: Command = {
  name: 'detokenize',
  summary: 'show the text of token ids',
  about: 'Prints the text of token ids.',
  arguments: [{ name: 'ID', summary: 'token ids', repeated: true }],
  groups: [{ title: 'options', options: [...LOCAL_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj detokenize 7454 2402 257 640', caption: 'the text of four tokens' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const ids = options.positionals.flatMap((word) => word.split(/[,\s]+/)).map(readId);
    const engine = await chooseEngine(context, options);
    const text =
      engine.api === null
        ? detokenizeLocally((await openLocalModel(context, options)).tokenizer, ids)
        : (await engine.api.text.detokenize(ids, { signal })).text;
    if (isOn(options, 'json')) writeJson(stdout, { text });
    else stdout.write(`${stdout.columns === null ? text : printable(text, true)}\n`);
  },
};

function readId(word: string): number {
  const id = /^\d{1,7}$/.test(word) ? Number(word) : MAX_ID;
  if (id < MAX_ID) return id;
  throw new UsageError(`expected token ids, which are integers from 0, got ${JSON.stringify(word)}`);
}

function detokenizeLocally(tokenizer: Tokenizer, ids: readonly number[]): string {
  const unknown = ids.find((id) => id >= tokenizer.vocabSize);
  if (unknown === undefined) return tokenizer.decode(ids, { skipSpecial: false });
  throw new UsageError(`expected token ids below ${tokenizer.vocabSize}, got ${unknown}`);
}

/** The same three lists as the reply of a server. */
function tokenizeLocally(tokenizer: Tokenizer, text: string, splitSpecialTokens: boolean): TokenizedText {
  const tokens = tokenizer.encode(text, { splitSpecialTokens });
  let characters = 0;
  const offsets = tokens.map((token) => {
    const bytes = tokenizer.tokenBytes(token);
    const isContinued = isContinuation(bytes[0]);
    const offset = isContinued ? characters - 1 : characters;
    characters += bytes.reduce((count, byte) => count + (isContinuation(byte) ? 0 : 1), 0);
    return offset;
  });
  return { tokens, texts: tokens.map((token) => tokenText(tokenizer, token)), offsets };
}

/** Whether a byte of UTF-8 continues a character. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
