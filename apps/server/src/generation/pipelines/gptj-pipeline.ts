/**
 * "GPT-J 6B" as its source of 2023 ran it (premade `gpt-j:v1.0-fp16`): a prompt and a dict in, a list of texts out. By
 * default the text does not contain the prompt, as in that source and as the public programs of 2022 expect; the source
 * of 2022 differed.
 */
import {
  contextExceeded,
  fitsContext,
  maxComputedTokens,
  mergeGenerationConfig,
  ParameterError,
  type ParsedRunParameters,
  parseRunParameters,
} from '@gptj-cloud/decoding';
import { type Engine, type GenerationRequest, needOf } from '@gptj-cloud/engine';
import { ModelError, type TokenId } from '@gptj-cloud/model';
import { type JsonValue, PickleError, type PickleValue, readPickle, toJson } from '@gptj-cloud/pickle';
import { ApiError, type RunInputGet } from '@gptj-cloud/protocol';
import { type Tokenizer, TokenizerError } from '@gptj-cloud/tokenizer';
import type { Job } from '../../workers/job.ts';
import type { JobRunner } from '../../workers/job-runner.ts';
import { refuseField } from '../field-reader.ts';
import { chooseModel, type TextModel } from '../text-model.ts';
import { toBeamCandidate } from '../token-logprob.ts';
import { visibleText } from '../visible-text.ts';
import { dictFields, parseGptjInput, refuseInput } from './gptj-input.ts';
import { gptjResult, type ResultOptions } from './gptj-result.ts';
import type { ExecuteOptions, Pipeline, PipelineOutcome } from './pipeline.ts';
import type { PipelineIdentity } from './pipeline-identity.ts';
import { createTokenStream } from './token-stream.ts';

export interface GptjPipelineDeps {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly jobs: JobRunner<TextModel>;
  readonly identity: PipelineIdentity;
}

/** UTF-16 units of a head of the prompt and tokens of a head of the output: more than lists of runs show of either. */
const MAX_HEAD = 640;

export function createGptjPipeline(deps: GptjPipelineDeps): Pipeline {
  const { model } = deps.identity;
  return {
    ...deps.identity,
    async prepare(input, owner) {
      const run = await deps.jobs.run(READ_GPTJ_RUN, { input, model }, owner);
      const { prompt, config } = run.request;
      return {
        promptTokens: prompt.length,
        request: run.request,
        need: needOf(config, deps.engine.info.config.eosTokenIds),
        maxComputedTokens: maxComputedTokens(config, prompt.length),
        contextTokens: config.maxLength,
        promptHead: run.promptHead,
        maxGeneratedTokens: config.numReturnSequences * Math.max(0, config.maxLength - prompt.length),
        mode: config.mode,
        warnings: run.warnings,
        execute: (options) => execute(deps, run, options),
      };
    },
    describeInput: (input, owner) => deps.jobs.run(DESCRIBE_GPTJ_INPUT, { input }, owner),
  };
}

/** A checked run: the request to the engine and the form of its result. Plain data. */
export interface GptjRun {
  readonly request: Pick<GenerationRequest, 'prompt' | 'config'>;
  readonly warnings: readonly string[];
  readonly promptHead: string;
  readonly result: Omit<ResultOptions, 'tokenizer'>;
}

/** Reads the input of a run. */
export const READ_GPTJ_RUN: Job<TextModel, { readonly input: Uint8Array; readonly model?: string }, GptjRun> = {
  name: 'read-gptj-run',
  what: 'data',
  size: ({ input }) => input.length,
  run: (served, { input, model }) => readGptjRun(chooseModel(served, model), readInput(input)),
};

/** Reads the input of a stored run for its owner to see. */
export const DESCRIBE_GPTJ_INPUT: Job<TextModel, { readonly input: Uint8Array }, RunInputGet> = {
  name: 'describe-gptj-input',
  what: 'data',
  size: ({ input }) => input.length,
  run(_, { input }) {
    const { prompt, parameters } = parseGptjInput(readInput(input));
    return {
      prompt: typeof prompt === 'string' ? prompt : [...prompt],
      parameters: Object.fromEntries([...parameters].map(([name, value]) => [name, toJsonField(name, value)])),
    };
  },
};

/** Throws `invalid_pickle`. */
function readInput(bytes: Uint8Array): PickleValue {
  try {
    return readPickle(bytes);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ApiError('invalid_pickle', { reason: error.message }, { details: { reason: error.code }, cause: error });
  }
}

/** Check the input of a run. Throws `invalid_input` and `invalid_parameter`. */
export function readGptjRun(model: TextModel, input: PickleValue): GptjRun {
  const { prompt, parameters: given } = parseGptjInput(input);
  const parameters = new Map<string, JsonValue>();
  for (const [name, value] of mergeGenerationConfig(given, dictFields)) parameters.set(name, toJsonField(name, value));
  const ids = encodePrompt(model, prompt, parameters);
  const { config, warnings, ...parsed } = parseFields(model, parameters, ids.length);
  return {
    request: { prompt: ids, config },
    warnings,
    promptHead:
      typeof prompt === 'string'
        ? prompt.slice(0, MAX_HEAD)
        : model.tokenizer.decode(ids.slice(0, MAX_HEAD), { skipSpecial: false }),
    result: {
      shownPrompt: parsed.includesInput ? ids : [],
      trimAt: parsed.trimsStop ? config.stopStrings : [],
      asDict: parsed.asDict,
    },
  };
}

async function execute(
  { engine, tokenizer }: GptjPipelineDeps,
  { request, warnings, result }: GptjRun,
  { signal, onTokens, onSearched, onEvent, ...scheduling }: ExecuteOptions,
): Promise<PipelineOutcome> {
  const stream = onTokens === undefined ? null : createTokenStream({ tokenizer, trimAt: result.trimAt, onTokens });
  for await (const event of engine.generate({ ...request, ...scheduling }, signal)) {
    onEvent?.(event);
    if (event.type === 'searched') {
      const candidates = event.candidates.map((one) => toBeamCandidate(tokenizer, one));
      onSearched?.({ step: event.step, candidates });
    }
    if (event.type === 'tokens') stream?.push(event.index, event.tokens, event.logprobs);
    if (event.type !== 'finished') continue;
    const { outcome, usage } = event;
    stream?.end(outcome.sequences);
    return {
      outputs: [await gptjResult(outcome, { ...result, tokenizer })],
      outputHead: visibleText(tokenizer, result.trimAt, outcome.sequences[0]?.tokens.slice(0, MAX_HEAD) ?? []),
      usage,
      finishReasons: outcome.sequences.map(({ finishReason }) => finishReason),
      seed: outcome.seed ?? null,
      warnings: [...warnings, ...(outcome.warnings ?? [])],
    };
  }
  throw new ModelError('engine_failed', 'the engine ended the run without a result');
}

/** Tokens of the prompt, if it fits the context together with the lengths in the request. Stops reading where it does not. */
function encodePrompt(
  { info, tokenizer }: TextModel,
  prompt: string | readonly TokenId[],
  parameters: ReadonlyMap<string, JsonValue>,
): readonly TokenId[] {
  const { contextLength } = info.config;
  const tooLong = (): ApiError => refuseInput(contextExceeded(contextLength));
  const splitSpecialTokens = parameters.get('split_special_tokens') ?? false;
  if (typeof splitSpecialTokens !== 'boolean') {
    throw refuseField('split_special_tokens', 'true or false', splitSpecialTokens);
  }
  let ids: readonly TokenId[];
  try {
    // There must be room for one new token.
    ids =
      typeof prompt === 'string'
        ? tokenizer.encode(prompt, { limit: contextLength - 1, splitSpecialTokens })
        : requireKnown(prompt, tokenizer.vocabSize);
  } catch (error) {
    throw isTooLong(error) ? tooLong() : error;
  }
  if (!fitsContext(parameters, ids.length, contextLength)) throw tooLong();
  return ids;
}

/** Throws `invalid_input` for an id outside the vocabulary. */
function requireKnown(ids: readonly TokenId[], vocabSize: number): readonly TokenId[] {
  const unknown = ids.find((id) => id >= vocabSize);
  if (unknown === undefined) return ids;
  throw refuseInput(`Prompt of token ids: expected ids from 0 to ${vocabSize - 1}, got ${unknown}`);
}

function parseFields(
  model: TextModel,
  given: ReadonlyMap<string, JsonValue>,
  promptLength: number,
): ParsedRunParameters {
  const { eosTokenId } = model.info.config;
  try {
    return parseRunParameters(given, promptLength, (fields, { defaults, otherNames }) =>
      model.readParameters(fields, { defaults: { ...defaults, pad_token_id: eosTokenId }, otherNames }),
    );
  } catch (error) {
    if (isTooLong(error)) throw refuseInput(`text in a parameter: ${error.message}`);
    if (!(error instanceof ParameterError)) throw error;
    throw new ApiError(
      'invalid_parameter',
      { reason: error.message },
      { details: { parameters: error.parameters, reason: error.code }, cause: error },
    );
  }
}

function isTooLong(error: unknown): error is TokenizerError {
  return error instanceof TokenizerError && error.code === 'too_many_tokens';
}

function toJsonField(name: string, value: PickleValue): JsonValue {
  try {
    return toJson(value);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    const shown = name.slice(0, 80);
    throw refuseParameter(shown, `${shown}: ${error.message}`);
  }
}

function refuseParameter(name: string, reason: string): ApiError {
  return new ApiError('invalid_parameter', { reason }, { details: { parameters: [name] } });
}
