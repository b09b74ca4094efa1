/**
 * "GPT-J 6B" as its source of 2023 ran it (premade `gpt-j:v1.0-fp16`): a prompt and a dict in, a list of texts out. By
 * default the text does not contain the prompt, as in that source and as the public programs of 2022 expect; the source
 * of 2022 differed.
 */
import { maxComputedTokens, ParameterError, type ParsedParameters } from '@gptj-cloud/decoding';
import type { Engine, GenerationRequest } from '@gptj-cloud/engine';
import { ModelError, type TokenId } from '@gptj-cloud/model';
import { type JsonValue, PickleError, type PickleValue, pythonTypeName, readPickle, toJson } from '@gptj-cloud/pickle';
import { ApiError, GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { type Tokenizer, TokenizerError } from '@gptj-cloud/tokenizer';
import type { Job } from '../../workers/job.ts';
import type { JobRunner } from '../../workers/job-runner.ts';
import { mergeGenerationConfig } from '../caller-fields.ts';
import { chooseDefaults } from '../choose-defaults.ts';
import { ROUTE_DEFAULTS } from '../route-defaults.ts';
import type { TextModel } from '../text-model.ts';
import { dictFields, parseGptjInput, refuseInput } from './gptj-input.ts';
import { gptjResult, type ResultOptions } from './gptj-result.ts';
import type { ExecuteOptions, Pipeline, PipelineOutcome } from './pipeline.ts';
import { createTokenStream } from './token-stream.ts';

export interface GptjPipelineDeps {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly jobs: JobRunner<TextModel>;
}

/** Lengths that must fit the context together with the prompt: the source adds the prompt's length to all three. */
const LENGTHS = ['response_length', 'max_length', 'min_length'] as const;
/** Parameters of the pipeline itself; all others go to `generate`. */
const PIPELINE_PARAMETERS = new Set(['response_length', 'include_input', 'remove_input', 'penalty', 'trim_stop']);
/** The source refused `return_dict_in_generate` and `output_scores`, too, because it could not return them. */
const UNSUPPORTED = ['attention_mask', 'output_attentions', 'output_hidden_states'] as const;
/** Results of `generate` that are returned only in the dict of `return_dict_in_generate`. */
const SCORES = ['output_scores', 'output_logits'] as const;
const ONLY_IN_DICT: ReadonlyMap<string, string> = new Map([
  ['logprobs', 'is not in the result: it is returned with return_dict_in_generate, and in the events of a stream'],
  ['prompt_logprobs', 'is ignored: it is returned only with return_dict_in_generate'],
]);

export function createGptjPipeline(deps: GptjPipelineDeps): Pipeline {
  return {
    id: GPTJ_PIPELINE_ID,
    name: 'GPT-J 6B',
    description: 'Text generation with GPT-J: a prompt and parameters of generate in, texts out',
    tags: ['gpt-j:latest', 'gpt-j:v1.0-fp16'],
    async prepare(input, owner) {
      const run = await deps.jobs.run(READ_GPTJ_RUN, { input }, owner);
      const { prompt, config } = run.request;
      return {
        promptTokens: prompt.length,
        maxComputedTokens: maxComputedTokens(config, prompt.length),
        contextTokens: config.maxLength,
        execute: (options) => execute(deps, run, options),
      };
    },
  };
}

/** A checked run: the request to the engine and the form of its result. Plain data. */
export interface GptjRun {
  readonly request: Pick<GenerationRequest, 'prompt' | 'config'>;
  readonly warnings: readonly string[];
  readonly result: Omit<ResultOptions, 'tokenizer'>;
}

/** Reads the input of a run. */
export const READ_GPTJ_RUN: Job<TextModel, { readonly input: Uint8Array }, GptjRun> = {
  name: 'read-gptj-run',
  what: 'data',
  size: ({ input }) => input.length,
  run: (model, { input }) => readGptjRun(model, readInput(input)),
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
  const parameters = mergeGenerationConfig(given, dictFields);
  const ids = encodePrompt(model, prompt, parameters);
  for (const name of UNSUPPORTED) {
    if (parameters.has(name)) {
      throw refuseParameter(name, `Sorry, ${name} is not yet a supported parameter. Let us know if you want it added!`);
    }
  }
  const includeInput = readIncludeInput(parameters);
  const asDict = readBoolean(parameters, 'return_dict_in_generate') ?? false;
  const trimStop = readBoolean(parameters, 'trim_stop') ?? false;
  const parsed = parseFields(model, generateFields(parameters, ids.length), ids.length);
  const { config } = parsed;
  return {
    request: { prompt: ids, config },
    warnings: [...parsed.warnings, ...dictWarnings(parameters, asDict)],
    result: {
      shownPrompt: includeInput ? ids : [],
      trimAt: trimStop ? config.stopStrings : [],
      asDict,
    },
  };
}

async function execute(
  { engine, tokenizer }: GptjPipelineDeps,
  { request, warnings, result }: GptjRun,
  { signal, onTokens, onEvent, ...scheduling }: ExecuteOptions,
): Promise<PipelineOutcome> {
  const stream = onTokens === undefined ? null : createTokenStream({ tokenizer, trimAt: result.trimAt, onTokens });
  for await (const event of engine.generate({ ...request, ...scheduling }, signal)) {
    onEvent?.(event);
    if (event.type === 'tokens') stream?.push(event.index, event.tokens, event.logprobs);
    if (event.type !== 'finished') continue;
    const { outcome, usage } = event;
    stream?.end(outcome.sequences);
    return {
      outputs: [await gptjResult(outcome, { ...result, tokenizer })],
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
  prompt: string,
  parameters: ReadonlyMap<string, PickleValue>,
): readonly TokenId[] {
  const { contextLength } = info.config;
  const tooLong = refuseInput(
    `GPT-J inference is limited to ${contextLength} tokens. Reduce the prompt length and/or the expected generation length.`,
  );
  const splitSpecialTokens = readBoolean(parameters, 'split_special_tokens') ?? false;
  let ids: readonly TokenId[];
  try {
    // There must be room for one new token.
    ids = tokenizer.encode(prompt, { limit: contextLength - 1, splitSpecialTokens });
  } catch (error) {
    throw isTooLong(error) ? tooLong : error;
  }
  for (const name of LENGTHS) {
    const value = parameters.get(name);
    if ((typeof value === 'bigint' || typeof value === 'number') && Number(value) + ids.length > contextLength) {
      throw tooLong;
    }
  }
  return ids;
}

/** `remove_input` overrides `include_input`, whose default is false. */
function readIncludeInput(parameters: ReadonlyMap<string, PickleValue>): boolean {
  const include = readBoolean(parameters, 'include_input');
  const remove = readBoolean(parameters, 'remove_input');
  return remove === null ? (include ?? false) : !remove;
}

function readBoolean(parameters: ReadonlyMap<string, PickleValue>, name: string): boolean | null {
  const value = parameters.get(name);
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value;
  throw refuseParameter(name, `${name}: expected true or false, got a value of type ${pythonTypeName(value)}`);
}

function dictWarnings(parameters: ReadonlyMap<string, PickleValue>, asDict: boolean): readonly string[] {
  if (asDict) return [];
  return [...ONLY_IN_DICT.entries()].filter(([name]) => parameters.has(name)).map(([name, why]) => `${name} ${why}`);
}

/** The pipeline's parameters under the names of `generate`. */
function generateFields(
  parameters: ReadonlyMap<string, PickleValue>,
  promptLength: number,
): ReadonlyMap<string, JsonValue> {
  const given = new Map<string, JsonValue>();
  for (const [name, value] of parameters) if (!PIPELINE_PARAMETERS.has(name)) given.set(name, toJsonField(name, value));
  // Rows of scores would be collected and then left out of the result.
  if (!parameters.has('return_dict_in_generate') && SCORES.some((name) => parameters.has(name))) {
    given.set('return_dict_in_generate', false);
  }
  const penalty = parameters.get('penalty');
  if (penalty !== undefined) given.set('repetition_penalty', toJsonField('penalty', penalty));
  const responseLength = parameters.get('response_length');
  if (responseLength !== undefined) {
    // Exactly that many new tokens: below min_length the end-of-text token is forbidden.
    const length = promptLength + readLength('response_length', responseLength);
    given.set('min_length', length);
    given.set('max_length', length);
  }
  return given;
}

/** An integer of at least 0; 2.0 is one. */
function readLength(name: string, value: PickleValue): number {
  const isNumber = typeof value === 'bigint' || typeof value === 'number';
  const length = isNumber ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(length) && length >= 0) return length;
  throw refuseParameter(
    name,
    `${name}: expected an integer of at least 0, got ${isNumber ? value : pythonTypeName(value)}`,
  );
}

function parseFields(model: TextModel, given: ReadonlyMap<string, JsonValue>, promptLength: number): ParsedParameters {
  const fields: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of given) fields[name] = value;
  const { eosTokenId } = model.info.config;
  const defaults = { ...chooseDefaults(ROUTE_DEFAULTS.run, given).fields, pad_token_id: eosTokenId };
  try {
    return model.readParameters(fields, { defaults, otherNames: [...PIPELINE_PARAMETERS] })(promptLength);
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
