/** A model that is loaded in a child process of this one, for commands without a server. */

import { availableParallelism } from 'node:os';
import { openCheckpoint } from '@gptj-cloud/checkpoint';
import {
  type ParameterContext,
  ParameterError,
  type ParsedParameters,
  parseGenerateParameters,
  readSplitSpecialTokens,
} from '@gptj-cloud/decoding';
import {
  adaptersFor,
  chooseEngine,
  ENGINE_KINDS,
  type Engine,
  type EngineKind,
  openTokenizer,
  spawnEngine,
} from '@gptj-cloud/engine';
import type { GptjConfig, TokenId } from '@gptj-cloud/model';
import { adaptersFolder, listAdapters } from '@gptj-cloud/model-store';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { CommandContext } from './command.ts';
import { findDraftModel, findLocalModel } from './default-model.ts';
import { integerOption, type OptionSpec, type ParsedOptions, UsageError } from './options.ts';
import { printable } from './printable.ts';
import { dataFolder } from './store-options.ts';

export const MODEL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'model',
    short: 'm',
    value: 'NAME|FILE',
    summary: 'name of a pulled model, or a model file',
    default: 'GPTJ_MODEL, else the embedded one',
  },
  {
    name: 'engine',
    value: 'NAME',
    summary: 'the engine that computes the model',
    choices: ENGINE_KINDS,
    default: 'GPTJ_ENGINE, else the fastest that can run the model',
  },
  {
    name: 'draft-model',
    value: 'NAME|FILE',
    summary: 'small model of the same vocabulary that guesses tokens: the same text, often sooner',
    default: 'GPTJ_DRAFT_MODEL, else none',
  },
  {
    name: 'threads',
    value: 'N',
    summary: 'number of threads, at most that of the processors',
    default: 'as many as help beside other programs, at most one per physical core',
  },
];

/** What a model needs to check parameters and prompts, before the weights are loaded. */
export interface LocalModel {
  readonly tokenizer: Tokenizer;
  readonly contextLength: number;
  encode(prompt: string, parameters: Readonly<Record<string, unknown>>): readonly TokenId[];
  /** Throws `UsageError` for an invalid parameter. */
  check(parameters: Readonly<Record<string, unknown>>, promptLength: number): ParsedParameters;
  /** Load the weights, which takes time. The caller closes the engine. */
  load(): Promise<Engine>;
}

/** Opens the model of `--model`, `--engine`, `--draft-model` and `--threads`. Throws `UsageError` for an invalid option. */
export async function openLocalModel(context: CommandContext, options: ParsedOptions): Promise<LocalModel> {
  const { env, stderr } = context;
  const threads = readThreads(options);
  const path = await findLocalModel(options.values.get('model'), env);
  const draftPath = await findDraftModel(options.values.get('draft-model'), env);
  const config = await readConfig(path);
  const tokenizer = await openTokenizer(path);
  const kind = readKind(options, env);
  const adapters = adaptersFor(config, await listAdapters(adaptersFolder(dataFolder(null, env))));
  const computes = kind ?? (await chooseEngine(path, undefined)).kind;
  const facts: Omit<ParameterContext, 'promptLength'> = {
    vocabSize: config.vocabSize,
    contextLength: config.contextLength,
    eosTokenId: config.eosTokenIds,
    encodeText: (text, encoding) => tokenizer.encode(text, encoding),
    adapters: adapters.map(({ name }) => name),
    ...(computes !== 'llama' ? { earlyExitLayers: config.layerCount } : {}),
  };
  return {
    tokenizer,
    contextLength: config.contextLength,
    encode: (prompt, parameters) =>
      tokenizer.encode(prompt, { splitSpecialTokens: withUsageErrors(() => readSplitSpecialTokens(parameters)) }),
    check: (parameters, promptLength) =>
      withUsageErrors(() => parseGenerateParameters(parameters, { ...facts, promptLength })),
    load: async () =>
      await spawnEngine({
        path,
        adapters,
        ...(kind === null ? {} : { kind }),
        ...(draftPath === null ? {} : { draftPath }),
        onWarning: (warning) => stderr.write(`warning: ${printable(warning)}\n`),
        // The refusal of a model that does not fit names it.
        checksMemory: env.ENGINE_MEMORY_CHECK?.trim() !== 'off',
        ...(threads === null ? {} : { threads }),
      }),
  };
}

/** `--engine`, else `GPTJ_ENGINE`; null: the engine decides. Throws `UsageError`. */
export function readKind(options: ParsedOptions, env: NodeJS.ProcessEnv): EngineKind | null {
  const name = options.values.get('engine') ?? env.GPTJ_ENGINE?.trim();
  if (name === undefined || name === '' || name === 'auto') return null;
  const kind = ENGINE_KINDS.find((known) => known === name);
  if (kind === undefined) throw new UsageError(`GPTJ_ENGINE: expected auto, ${ENGINE_KINDS.join(', ')}, got ${name}`);
  return kind;
}

/** More threads than processors wait for one another at every step: a generation takes minutes. */
export function readThreads(options: ParsedOptions): number | null {
  const max = availableParallelism();
  const threads = integerOption(options, 'threads', { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (threads === null || threads <= max) return threads;
  throw new UsageError(`--threads: expected at most ${max}, the processors of this machine, got ${threads}`);
}

/** Throws `UsageError` in place of `ParameterError`: here parameters come from options. */
function withUsageErrors<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof ParameterError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function readConfig(path: string): Promise<GptjConfig> {
  const checkpoint = await openCheckpoint(path);
  try {
    return checkpoint.config;
  } finally {
    await checkpoint.close();
  }
}
