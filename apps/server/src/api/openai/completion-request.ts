/** `POST /v1/completions`: its fields, checked, as parameters of `generate`. */
import { chooseDefaults, PARAMETER_LIMITS } from '@gptj-cloud/decoding';
import type { JsonValue } from '@gptj-cloud/pickle';
import { callerFields } from '../../generation/caller-fields.ts';
import { createFieldReader, type FieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';
import type { PromptRequest } from '../../generation/generation-service.ts';
import { ROUTE_DEFAULTS } from '../../generation/route-defaults.ts';
import { readStops } from '../../generation/stop-field.ts';
import { adapterOf, chooseModel, readConfig, type TextModel, useAdapter } from '../../generation/text-model.ts';
import { TGI_WATERMARK } from '../../generation/tgi-watermark.ts';
import { type CompletionPrompt, readPrompts } from './completion-prompts.ts';
import { readSampling } from './completion-sampling.ts';
import { addEnds, readEnds, readTokenForm, type TokenForm } from './vllm-fields.ts';

export interface CompletionRequest {
  /** The name of the model that it chooses, with that of the adapter. */
  readonly model: string;
  readonly prompts: readonly PromptRequest[];
  /** The same prompts as the caller wrote them. */
  readonly written: readonly CompletionPrompt['shown'][];
  /** Choices of each prompt. */
  readonly n: number;
  /** Sequences the engine makes of each prompt, of which the `n` most likely are returned. */
  readonly sequences: number;
  readonly echo: boolean;
  /** Number of the most likely tokens beside each one; null: no log-probabilities. */
  readonly logprobs: number | null;
  readonly stops: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly form: TokenForm;
}

/** Log-probabilities in one reply: some hundred bytes each. */
const MAX_LOGPROB_ENTRIES = 1_048_576;

/** OpenAI's names for parameters of `generate`. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['max_new_tokens', 'max_tokens'],
  ['num_return_sequences', 'n'],
  ['stop_strings', 'stop'],
]);

/** Names of `generate`'s parameters in this API's errors. */
const SPELLING: ReadonlyMap<string, string> = new Map([
  ...NAMES,
  ['sequence_bias', 'logit_bias'],
  ['do_sample', 'temperature'],
]);

/** Parameters of `generate` and of other APIs that this API refuses, with the alternative. */
const OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['max_length', 'use max_tokens'],
  ['num_return_sequences', 'use n'],
  ['stop_strings', 'use stop'],
  ['stop_in_prompt', 'stop looks at the output alone'],
  ['prompt_logprobs', 'use echo with logprobs'],
  ['output_scores', 'use logprobs, or POST /v2/runs'],
  ['output_logits', 'use logprobs, or POST /v2/runs'],
  ['scores_format', 'use logprobs, or POST /v2/runs'],
  ['return_dict_in_generate', 'leave it out'],
  ['inputs', 'use prompt'],
  ['parameters', 'send its fields beside prompt, or use POST /generate'],
  ['grammar', 'is not offered; constrain with prefix_allowed_tokens_fn {"regex": …}'],
  ['adapter_id', 'use lora, or "model": "NAME:ADAPTER"'],
  ['functions', 'GPT-J has no functions; leave it out'],
  ['tools', 'GPT-J has no tools; leave it out'],
  ['messages', 'GPT-J is not a chat model; send prompt'],
]);

/**
 * Throws `invalid_parameter` and `model_unknown`, naming the field; unknown fields are refused by name.
 *
 * @param addressed the adapter that the address names
 */
export function parseCompletionRequest(
  served: TextModel,
  fields: ReadonlyMap<string, JsonValue>,
  addressed: string | null = null,
): CompletionRequest {
  const read = createFieldReader(callerFields(withMaxTokens(fields), NAMES));
  const prompt = read.value('prompt');
  const name = read.text('model');
  const model = chooseModel(served, name);
  readFieldsWithoutEffect(read);
  const options = readOptions(read);
  const { echo, n, logprobs, stops, maxTokens, truncate, splitSpecialTokens } = options;
  const form = readTokenForm(read);
  const ends = readEnds(read, model.info.config.eosTokenIds);
  const given = readGenerateFields(read);
  addEnds(given, ends);
  if (maxTokens !== undefined) given.set('max_new_tokens', maxTokens);
  if (stops.length > 0) given.set('stop_strings', [...stops]);
  if (splitSpecialTokens) given.set('split_special_tokens', true);
  const adapter = adapterOf(served, name) ?? addressed;
  useAdapter(given, 'model', adapter);

  const scoring = maxTokens === 0;
  const { contextLength } = model.info.config;
  const max = scoring ? contextLength : contextLength - 1;
  const prompts = readPrompts(model, prompt, { max, truncate, splitSpecialTokens });
  const { sampling, fields: defaults } = chooseDefaults(ROUTE_DEFAULTS.completion, given);
  if (!sampling) for (const filter of ['temperature', 'top_p']) given.delete(filter);
  // Greedy decoding makes the same text each time, so once is enough.
  const isGreedy = !sampling && !isAbove(given.get('num_beams'), 1);
  const sequences = scoring || isGreedy ? 1 : options.bestOf;
  given.set('num_return_sequences', sequences);
  const selects = sequences > n;
  if (logprobs !== null || selects) given.set('logprobs', logprobs ?? 0);
  // The mode of `generate` that reads the prompt and generates nothing needs prompt_logprobs.
  if (scoring || (echo && logprobs !== null)) given.set('prompt_logprobs', logprobs ?? 0);
  const configFor = readConfig(model, { fields: given, defaults, spelling: SPELLING });
  const requests = prompts.map(({ ids }): PromptRequest => ({ prompt: ids, config: configFor(ids.length) }));
  if (logprobs !== null) {
    const scored = requests.map(
      ({ prompt: ids, config }) => (echo ? ids.length * n : 0) + (config.maxLength - ids.length) * sequences,
    );
    limitLogprobs((logprobs + 1) * scored.reduce((sum, tokens) => sum + tokens, 0));
  }
  return {
    model: adapter === null ? model.info.modelName : `${model.info.modelName}:${adapter}`,
    prompts: requests,
    written: prompts.map(({ shown }) => shown),
    n,
    sequences,
    echo,
    logprobs,
    // `generate` has checked that they are strings.
    stops: stops.filter((stop) => typeof stop === 'string'),
    stream: options.stream,
    includeUsage: options.includeUsage,
    form,
  };
}

function readFieldsWithoutEffect(read: FieldReader): void {
  read.text('user');
  // `logprobs` asks for the details of text-generation-inference here.
  for (const field of ['details', 'decoder_input_details']) read.boolean(field);
  read.integer('top_n_tokens', { min: 0 });
  if (read.value('suffix') !== undefined) {
    throw refuseOption('suffix', 'GPT-J continues text and cannot fill in before a suffix; leave it out');
  }
}

interface CompletionOptions extends Pick<CompletionRequest, 'echo' | 'logprobs' | 'n' | 'stream' | 'includeUsage'> {
  readonly bestOf: number;
  readonly maxTokens: number | undefined;
  /** As they came: `generate` checks them. */
  readonly stops: readonly JsonValue[];
  readonly truncate: number | undefined;
  readonly splitSpecialTokens: boolean;
}

/** The fields that are not parameters of `generate`, or have another name there. */
function readOptions(read: FieldReader): CompletionOptions {
  const fullText = read.boolean('return_full_text') ?? false;
  const echo = read.boolean('echo') ?? fullText;
  const logprobs = read.integer('logprobs', { min: 0, max: PARAMETER_LIMITS.topLogprobs }) ?? null;
  const maxTokens = read.integer('max_tokens', { min: 0 });
  if (maxTokens === 0 && !echo) throw refuseField('max_tokens', 'at least 1 (0 is for echo)', maxTokens);
  const n = read.integer('n', { min: 1, max: PARAMETER_LIMITS.rows }) ?? 1;
  const bestOf = read.integer('best_of', { min: 1, max: PARAMETER_LIMITS.rows }) ?? n;
  if (bestOf < n) throw refuseField('best_of', `at least n, which is ${n}`, bestOf);
  const stream = read.boolean('stream') ?? false;
  const includeUsage = readStreamOptions(read, stream);
  if (stream && bestOf > n) throw refuseOption('best_of', 'cannot be streamed; leave stream out, or set best_of to n');
  if (stream && echo && logprobs !== null) {
    throw refuseOption('echo', 'cannot be streamed with logprobs; leave one of the three out');
  }
  return {
    echo,
    logprobs,
    maxTokens,
    n,
    bestOf,
    stream,
    includeUsage,
    stops: readStops(read),
    truncate: read.integer('truncate', { min: 1 }),
    splitSpecialTokens: read.boolean('split_special_tokens') ?? false,
  };
}

/** The fields that are left are parameters of `generate`. */
function readGenerateFields(read: FieldReader): Map<string, JsonValue> {
  const fields = readSampling(read);
  if (read.boolean('watermark') === true) fields.set('watermarking_config', TGI_WATERMARK);
  for (const [name, value] of read.rest()) {
    const instead = OTHERWISE.get(name);
    if (instead !== undefined) throw refuseOption(name, instead);
    if (name === 'sequence_bias' && fields.has(name)) {
      throw refuseOption(name, 'expected one of logit_bias and sequence_bias, got both');
    }
    fields.set(name, value);
  }
  return fields;
}

/**
 * `max_new_tokens` in the place of `max_tokens`; beside it, it has no effect: lm-evaluation-harness sends both, the one
 * from its task, the other as the limit it wants.
 */
function withMaxTokens(fields: ReadonlyMap<string, JsonValue>): ReadonlyMap<string, JsonValue> {
  const asked = fields.get('max_new_tokens') ?? null;
  if (asked === null) return fields;
  const rest = new Map(fields);
  rest.delete('max_new_tokens');
  if ((fields.get('max_tokens') ?? null) === null) rest.set('max_tokens', asked);
  return rest;
}

function limitLogprobs(entries: number): void {
  if (entries <= MAX_LOGPROB_ENTRIES) return;
  throw refuseOption(
    'logprobs',
    `the reply would hold up to ${entries} log-probabilities, at most ${MAX_LOGPROB_ENTRIES} are allowed; lower ` +
      'logprobs or max_tokens, or send the prompts in parts',
  );
}

function readStreamOptions(read: FieldReader, stream: boolean): boolean {
  const options = read.object('stream_options');
  if (options === undefined) return false;
  if (!stream) throw refuseOption('stream_options', 'acts only with stream; leave it out');
  const inner = createFieldReader(options, 'stream_options.');
  const includeUsage = inner.boolean('include_usage') ?? false;
  // Padding against guessing tokens from the lengths of events; it is not offered and not needed to read the stream.
  inner.boolean('include_obfuscation');
  const [unknown] = inner.rest().keys();
  if (unknown !== undefined)
    throw refuseOption(`stream_options.${unknown.slice(0, 80)}`, 'unknown; expected include_usage');
  return includeUsage;
}

function isAbove(value: JsonValue | undefined, bound: number): boolean {
  return typeof value === 'number' && value > bound;
}
