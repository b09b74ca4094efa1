/** `POST /v1/completions`: its fields, checked, in the terms of `generate`. */
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { createFieldReader, type FieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';
import type { PromptRequest } from '../../generation/generation-service.ts';
import { checkModelName, parseConfig, type TextModel } from '../../generation/text-model.ts';
import { readPrompts } from './completion-prompts.ts';

export interface CompletionRequest {
  readonly prompts: readonly PromptRequest[];
  /** What `echo` shows of each prompt; empty lists without it. */
  readonly echoed: readonly (readonly TokenId[])[];
  /** Choices of each prompt. */
  readonly n: number;
  /** Sequences the engine makes of each prompt, of which the `n` likeliest are returned. */
  readonly sequences: number;
  readonly echo: boolean;
  /** Likeliest tokens beside each one; null: no log-probabilities. */
  readonly logprobs: number | null;
  readonly stops: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const MAX_SEQUENCES = 64;
const MAX_LOGPROBS = 100;
const MAX_STOPS = 4;
const DEFAULT_TOKENS = 16;
/** Log-probabilities in one reply: some hundred bytes each. */
const MAX_LOGPROB_ENTRIES = 1_048_576;

/** `generate`'s names where OpenAI has another, and how refusals then spell them. */
const SPELLING: ReadonlyMap<string, string> = new Map([
  ['max_new_tokens', 'max_tokens'],
  ['num_return_sequences', 'n'],
  ['stop_strings', 'stop'],
  ['sequence_bias', 'logit_bias'],
  ['do_sample', 'temperature'],
]);

/** Names of `generate` that cannot go under their own name here, and what to use. */
const OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['max_new_tokens', 'use max_tokens'],
  ['max_length', 'use max_tokens'],
  ['num_return_sequences', 'use n'],
  ['stop_strings', 'use stop'],
  ['stop_in_prompt', 'stop looks at the output alone'],
  ['prompt_logprobs', 'use echo with logprobs'],
  ['output_scores', 'use logprobs, or POST /v2/runs'],
  ['output_logits', 'use logprobs, or POST /v2/runs'],
  ['scores_format', 'use logprobs, or POST /v2/runs'],
  ['return_dict_in_generate', 'leave it out'],
  ['functions', 'GPT-J has no functions; leave it out'],
  ['tools', 'GPT-J has no tools; leave it out'],
  ['messages', 'GPT-J is no chat model; send prompt'],
]);

/** Throws `invalid_parameter` and `model_unknown`, naming the field; unknown fields are refused by name. */
export function parseCompletionRequest(model: TextModel, fields: ReadonlyMap<string, JsonValue>): CompletionRequest {
  const read = createFieldReader(fields);
  const name = read.text('model');
  if (name !== undefined) checkModelName(model, name);
  read.text('user');
  if (read.value('suffix') !== undefined) {
    throw refuseOption('suffix', 'GPT-J continues text and cannot fill in before a suffix; leave it out');
  }
  const prompt = read.value('prompt');
  const echo = read.boolean('echo') ?? false;
  const logprobs = read.integer('logprobs', { min: 0, max: MAX_LOGPROBS }) ?? null;
  const maxTokens = read.integer('max_tokens', { min: 0 }) ?? DEFAULT_TOKENS;
  const scoring = maxTokens === 0;
  if (scoring && !(echo && logprobs !== null)) {
    throw refuseField('max_tokens', 'at least 1 (0 is for echo with logprobs)', maxTokens);
  }
  const { n, bestOf } = readCounts(read);
  const stream = read.boolean('stream') ?? false;
  const includeUsage = readStreamOptions(read, stream);
  if (stream && bestOf > n) throw refuseOption('best_of', 'cannot be streamed; leave stream out, or set best_of to n');
  if (stream && echo && logprobs !== null) {
    throw refuseOption('echo', 'cannot be streamed with logprobs; leave one of the three out');
  }
  const stops = readStops(read);
  const generate = readShaping(read);
  for (const [other, value] of read.rest()) {
    const instead = OTHERWISE.get(other);
    if (instead !== undefined) throw refuseOption(other, instead);
    if (other === 'sequence_bias' && generate.has(other)) {
      throw refuseOption(other, 'expected one of logit_bias and sequence_bias, got both');
    }
    generate.set(other, value);
  }
  const isGreedy = generate.get('do_sample') === false && !isAbove(generate.get('num_beams'), 1);
  // The same text however often it is asked for.
  const sequences = isGreedy || scoring ? 1 : bestOf;
  generate.set('max_new_tokens', maxTokens);
  generate.set('num_return_sequences', sequences);
  generate.set('stop_in_prompt', false);
  if (stops.length > 0) generate.set('stop_strings', [...stops]);
  const chosenBelow = sequences > n;
  if (logprobs !== null || chosenBelow) generate.set('logprobs', logprobs ?? 0);
  if (echo && logprobs !== null) generate.set('prompt_logprobs', logprobs);

  const { contextLength } = model.info.config;
  const prompts = readPrompts(model, prompt, scoring ? contextLength : contextLength - 1);
  if (logprobs !== null) {
    const scored = prompts.map(({ ids }) => (echo ? ids.length * n : 0) + maxTokens * sequences);
    limitLogprobs((logprobs + 1) * scored.reduce((sum, tokens) => sum + tokens, 0));
  }
  return {
    prompts: prompts.map(({ ids }) => ({ prompt: ids, config: parseConfig(model, generate, ids.length, SPELLING) })),
    echoed: prompts.map(({ shown }) => (echo ? shown : [])),
    n,
    sequences,
    echo,
    logprobs,
    stops,
    stream,
    includeUsage,
  };
}

function limitLogprobs(entries: number): void {
  if (entries <= MAX_LOGPROB_ENTRIES) return;
  throw refuseOption(
    'logprobs',
    `the reply would hold up to ${entries} log-probabilities, at most ${MAX_LOGPROB_ENTRIES} are allowed; lower ` +
      'logprobs or max_tokens, or send the prompts in parts',
  );
}

function readCounts(read: FieldReader): { readonly n: number; readonly bestOf: number } {
  const n = read.integer('n', { min: 1, max: MAX_SEQUENCES }) ?? 1;
  const bestOf = read.integer('best_of', { min: 1, max: MAX_SEQUENCES }) ?? n;
  if (bestOf < n) throw refuseField('best_of', `at least n, which is ${n}`, bestOf);
  return { n, bestOf };
}

function readStreamOptions(read: FieldReader, stream: boolean): boolean {
  const options = read.object('stream_options');
  if (options === undefined) return false;
  if (!stream) throw refuseOption('stream_options', 'acts only with stream; leave it out');
  const inner = createFieldReader(options, 'stream_options.');
  const includeUsage = inner.boolean('include_usage') ?? false;
  // Padding against guessing from lengths; what it hides here is nothing.
  inner.boolean('include_obfuscation');
  const [unknown] = inner.rest().keys();
  if (unknown !== undefined) throw refuseOption(`stream_options.${unknown}`, 'unknown; expected include_usage');
  return includeUsage;
}

/** `stop`: a text or up to four. */
function readStops(read: FieldReader): readonly string[] {
  const value = read.value('stop');
  if (value === undefined) return [];
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  const stops = list.filter((stop) => typeof stop === 'string');
  if (stops.length < list.length || list.length > MAX_STOPS || stops.includes('')) {
    throw refuseField('stop', `a non-empty text or up to ${MAX_STOPS} of them`, value);
  }
  return stops;
}

/** What shapes the distribution, under `generate`'s names. Sampling unless temperature is 0 or beams are asked for. */
function readShaping(read: FieldReader): Map<string, JsonValue> {
  const generate = new Map<string, JsonValue>();
  const temperature = read.number('temperature', 0, 100) ?? 1;
  const beams = read.value('num_beams');
  const asked = read.boolean('do_sample');
  if (asked === true && temperature === 0) {
    throw refuseField('temperature', 'above 0 with do_sample (0 is greedy decoding)', temperature);
  }
  const sampling = asked ?? (temperature > 0 && !isAbove(beams, 1));
  generate.set('do_sample', sampling);
  if (beams !== undefined) generate.set('num_beams', beams);
  if (sampling) generate.set('temperature', temperature);
  const topP = read.number('top_p', 0, 1);
  if (topP !== undefined && sampling) generate.set('top_p', topP);
  // Unlike generate, this API keeps every token unless told otherwise.
  generate.set('top_k', read.value('top_k') ?? 0);
  for (const name of ['presence_penalty', 'frequency_penalty']) {
    const penalty = read.number(name, -2, 2);
    if (penalty !== undefined) generate.set(name, penalty);
  }
  const biases = readLogitBias(read);
  if (biases.length > 0) generate.set('sequence_bias', biases);
  return generate;
}

/** `logit_bias`: an object from token id to a number that is added to its logit. */
function readLogitBias(read: FieldReader): JsonValue[] {
  const entries = [...(read.object('logit_bias') ?? [])];
  return entries.map(([id, bias]) => {
    if (!/^\d{1,9}$/.test(id)) throw refuseField('logit_bias', 'token ids as keys', id);
    if (typeof bias !== 'number' || Math.abs(bias) > 100) {
      throw refuseField('logit_bias', 'numbers from -100 to 100 as values', bias);
    }
    return [[Number(id)], bias];
  });
}

function isAbove(value: JsonValue | undefined, min: number): boolean {
  return typeof value === 'number' && value > min;
}
