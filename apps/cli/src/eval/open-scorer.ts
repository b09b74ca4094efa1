/** The model of an evaluation: a file in this process, a gptj-cloud server, or a server with OpenAI's completions. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { openModel, openTokenizer } from '@gptj-cloud/engine';
import {
  createCompletionsScorer,
  createLanguageModelScorer,
  createPipelineScorer,
  type TokenScorer,
} from '@gptj-cloud/evals';
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { CommandContext, OptionGroup } from '../command.ts';
import { embeddedModel, findLocalModel } from '../default-model.ts';
import { MODEL_OPTIONS, readKind, readThreads } from '../local-model.ts';
import { integerOption, isOn, listOption, type ParsedOptions, UsageError } from '../options.ts';
import { printable } from '../printable.ts';

const DEFAULT_CONCURRENCY = 8;
const DEFAULT_BATCH = 16;
const CONTEXT_LENGTH = 2048;

export const SCORER_GROUPS: readonly OptionGroup[] = [
  { title: 'a model of this machine', options: MODEL_OPTIONS.filter(({ name }) => name !== 'draft-model') },
  {
    title: 'a gptj-cloud server',
    options: [
      ...SERVER_GROUP.options,
      {
        name: 'pipeline',
        value: 'ID|TAG',
        summary: 'the model of a server that has several, by its pipeline',
        default: 'the first model',
      },
      { name: 'lora', value: 'NAMES', summary: 'adapters of the model, separated by commas', default: 'none' },
    ],
  },
  {
    title: 'another server',
    options: [
      {
        name: 'completions',
        value: 'URL',
        summary: 'address of an endpoint /v1/completions with echo and logprobs; OPENAI_API_KEY is its key',
      },
      { name: 'completions-model', value: 'NAME', summary: 'model to name in requests', default: 'gpt-j-6b' },
      {
        name: 'context',
        value: 'N',
        summary: 'maximum number of tokens of its model',
        default: String(CONTEXT_LENGTH),
      },
      { name: 'batch-size', value: 'N', summary: 'prompts of one request', default: String(DEFAULT_BATCH) },
    ],
  },
  {
    title: 'servers',
    options: [
      { name: 'concurrency', value: 'N', summary: 'requests at the same time', default: String(DEFAULT_CONCURRENCY) },
      {
        name: 'tokenizer',
        value: 'FILE',
        summary: 'model file with the tokenizer of the server',
        default: 'the embedded model, whose tokenizer is that of GPT-J',
      },
    ],
  },
];

export interface OpenScorer {
  readonly scorer: TokenScorer;
  readonly tokenizer: Tokenizer;
  /** The token before texts without context. */
  readonly prefixToken: TokenId;
  close(): Promise<void>;
}

/** Throws `UsageError` for options that contradict each other. */
export async function openScorer(context: CommandContext, options: ParsedOptions): Promise<OpenScorer> {
  const has = (...names: readonly string[]): string | undefined => names.find((name) => options.values.has(name));
  const local = has('model', 'engine', 'threads');
  const other = has('completions');
  // Beside another model, with --store, these name the server that stores.
  const isStoreAlone = isOn(options, 'store') && (local ?? other) !== undefined;
  const server = has('pipeline', 'lora') ?? (isStoreAlone ? undefined : has('url', 'token', 'profile'));
  const [first, second] = [local, server, other].filter((name) => name !== undefined);
  if (second !== undefined) throw new UsageError(`expected --${first} or --${second}: one model`);
  if (other !== undefined) return await openCompletions(context, options);
  return server === undefined ? await openLocal(context, options) : await openServer(context, options);
}

async function openLocal(context: CommandContext, options: ParsedOptions): Promise<OpenScorer> {
  const { env, stderr, signal } = context;
  const path = await findLocalModel(options.values.get('model'), env);
  const kind = readKind(options, env);
  const threads = readThreads(options);
  const opened = await openModel({
    path,
    ...(kind === null ? {} : { kind }),
    ...(threads === null ? {} : { threads }),
    checksMemory: env.ENGINE_MEMORY_CHECK?.trim() !== 'off',
  });
  for (const warning of opened.warnings) stderr.write(`warning: ${printable(warning)}\n`);
  const weights = await hashFile(path, signal).catch(async (error: unknown) => {
    await opened.close();
    throw error;
  });
  const { model, tokenizer, info } = opened;
  const identity = {
    adapter: 'engine',
    model: info.modelName,
    weights,
    type: info.quantisation,
    engine: info.kind,
  } as const;
  return {
    scorer: createLanguageModelScorer({ model, tokenizer, identity }),
    tokenizer,
    prefixToken: prefixOf(tokenizer, info.config.bosTokenId ?? info.config.eosTokenId),
    close: () => opened.close(),
  };
}

async function openServer(context: CommandContext, options: ParsedOptions): Promise<OpenScorer> {
  const { api, url } = await openClient(context, options);
  const tokenizer = await readTokenizer(options);
  const { signal } = context;
  const { model: first, models, pipelineId: firstId } = await api.engine.get({ signal });
  const wanted = options.values.get('pipeline');
  const pipelineId = wanted === undefined ? firstId : (await api.pipelines.get(wanted, { signal })).id;
  const model = pipelineId === firstId ? first : models.find((each) => each.pipelineId === pipelineId);
  if (model === undefined) {
    const known = models.map(({ name, pipelineId: id }) => `${name} (${id})`).join(', ');
    throw new UsageError(`--pipeline: expected one of ${known}, got ${wanted}`);
  }
  const adapters = listOption(options, 'lora') ?? [];
  // Of other models than the first the server does not report the vocabulary.
  if ('vocabulary' in model && model.vocabulary < tokenizer.vocabSize) {
    throw new UsageError(
      `--tokenizer: expected one of at most ${model.vocabulary} tokens, as the server's model, got ${tokenizer.vocabSize}`,
    );
  }
  return {
    scorer: createPipelineScorer({
      api,
      url,
      model: [model.name, ...adapters].join(' + '),
      pipelineId,
      adapters,
      type: model.quantisation,
      engine: null,
      contextLength: model.context,
      concurrency: readConcurrency(options),
    }),
    tokenizer,
    prefixToken: prefixOf(tokenizer, null),
    close: async () => {},
  };
}

async function openCompletions(context: CommandContext, options: ParsedOptions): Promise<OpenScorer> {
  const url = options.values.get('completions')!;
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--completions: expected an address like http://127.0.0.1:8000/v1/completions, got ${url}`);
  }
  const { username, password, search, hash } = new URL(url);
  // The report and the journal have the address.
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    throw new UsageError(
      '--completions: expected an address without user name, query or fragment; OPENAI_API_KEY is the key of the server',
    );
  }
  const tokenizer = await readTokenizer(options);
  return {
    scorer: createCompletionsScorer({
      url,
      token: context.env.OPENAI_API_KEY?.trim() || null,
      model: options.values.get('completions-model') ?? 'gpt-j-6b',
      tokenizer,
      contextLength: integerOption(options, 'context', { min: 16, max: 1_000_000 }) ?? CONTEXT_LENGTH,
      batchSize: integerOption(options, 'batch-size', { min: 1, max: 1024 }) ?? DEFAULT_BATCH,
      concurrency: readConcurrency(options),
    }),
    tokenizer,
    prefixToken: prefixOf(tokenizer, null),
    close: async () => {},
  };
}

function readConcurrency(options: ParsedOptions): number {
  return integerOption(options, 'concurrency', { min: 1, max: 256 }) ?? DEFAULT_CONCURRENCY;
}

async function readTokenizer(options: ParsedOptions): Promise<Tokenizer> {
  const file = options.values.get('tokenizer') ?? embeddedModel();
  if (file === null) throw new UsageError('--tokenizer: expected a model file, as the embedded model is missing');
  return await openTokenizer(file);
}

function prefixOf(tokenizer: Tokenizer, known: TokenId | null): TokenId {
  const ids = known === null ? tokenizer.encode('<|endoftext|>') : [known];
  if (ids.length === 1) return ids[0]!;
  throw new UsageError('--tokenizer: expected one with the token <|endoftext|>');
}

async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path, { highWaterMark: 1024 * 1024, signal })) hash.update(part);
  return hash.digest('hex');
}
