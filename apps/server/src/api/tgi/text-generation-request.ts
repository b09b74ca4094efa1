/** `{inputs, parameters, options, stream}` of Hugging Face's Inference API and of text-generation-inference (TGI). */
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { createFieldReader, type FieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';
import type { PromptRequest } from '../../generation/generation-service.ts';
import { encodePrompt, parseConfig, type TextModel } from '../../generation/text-model.ts';

/**
 * Whose defaults hold. `generate`: TGI's own addresses. `compat`: TGI's root. `inference`: the Inference API of 2022,
 * a transformers pipeline, whose defaults for this model sample.
 */
export type Dialect = 'generate' | 'compat' | 'inference';

export interface TextGenerationRequest {
  readonly prompt: PromptRequest;
  readonly returnFullText: boolean;
  readonly details: boolean;
  readonly decoderInputDetails: boolean;
  /** Sequences the engine makes. */
  readonly sequences: number;
  /** Those that are returned; fewer than made with `best_of`. */
  readonly returned: number;
  /** Likeliest tokens beside each one; 0: none. */
  readonly topTokens: number;
  readonly stream: boolean;
}

const MAX_SEQUENCES = 64;
const MAX_STOPS = 4;
const MAX_TOP_TOKENS = 100;
const DEFAULT_NEW_TOKENS = 100;

const SPELLING: ReadonlyMap<string, string> = new Map([
  ['num_return_sequences', 'best_of'],
  ['stop_strings', 'stop'],
  ['watermarking_config', 'watermark'],
  ['logprobs', 'top_n_tokens'],
]);

const OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['grammar', 'is not offered; constrain with prefix_allowed_tokens_fn {"regex": …}'],
  ['adapter_id', 'there are no adapters here; leave it out'],
  ['stop_strings', 'use stop'],
  ['logprobs', 'use top_n_tokens with details'],
  ['prompt_logprobs', 'use decoder_input_details'],
  ['output_scores', 'use top_n_tokens with details, or POST /v2/runs'],
  ['output_logits', 'use top_n_tokens with details, or POST /v2/runs'],
  ['scores_format', 'use top_n_tokens with details, or POST /v2/runs'],
  ['return_dict_in_generate', 'use details'],
  ['return_tensors', 'use details'],
]);

/** Throws `invalid_parameter` that names the field; unknown fields are refused by name. */
export function parseTextGenerationRequest(
  model: TextModel,
  fields: ReadonlyMap<string, JsonValue>,
  dialect: Dialect,
  mustStream = false,
): TextGenerationRequest {
  const body = createFieldReader(fields);
  const inputs = body.value('inputs');
  if (typeof inputs !== 'string' || inputs === '') {
    throw refuseField('inputs', 'a non-empty text (one prompt a request)', inputs ?? null);
  }
  const given = body.object('parameters');
  const stream = (body.boolean('stream') ?? false) || mustStream;
  readOptions(body);
  const [unknown] = body.rest().keys();
  if (unknown !== undefined) {
    throw refuseOption(unknown.slice(0, 80), 'unknown; expected inputs, parameters, options and stream');
  }

  const read = createFieldReader(given ?? new Map<string, JsonValue>());
  const returnFullText = read.boolean('return_full_text') ?? dialect !== 'generate';
  const details = read.boolean('details') ?? false;
  const decoderInputDetails = read.boolean('decoder_input_details') ?? false;
  if (decoderInputDetails && stream) throw refuseOption('decoder_input_details', 'cannot be streamed; leave it out');
  const topTokens = read.integer('top_n_tokens', { min: 0, max: MAX_TOP_TOKENS }) ?? 0;
  const truncate = read.integer('truncate', { min: 1 });
  const generate = readShaping(read, dialect, given === undefined);
  const sampling = generate.get('do_sample') === true;
  const { sequences, returned } = readCounts(read, dialect, { sampling, stream });
  for (const [name, value] of read.rest()) {
    const instead = OTHERWISE.get(name);
    if (instead !== undefined) throw refuseOption(name, instead);
    generate.set(name, value);
  }
  generate.set('num_return_sequences', sequences);
  generate.set('stop_in_prompt', false);
  if (details || stream || sequences > returned) generate.set('logprobs', topTokens);
  if (decoderInputDetails) generate.set('prompt_logprobs', 0);

  const ids = readPrompt(model, inputs, truncate);
  return {
    prompt: { prompt: ids, config: parseConfig(model, generate, ids.length, SPELLING) },
    returnFullText,
    details,
    decoderInputDetails,
    sequences,
    returned,
    topTokens,
    stream,
  };
}

/** Caching and waiting for the model to load have no counterpart: results are never cached, the model is loaded. */
function readOptions(body: FieldReader): void {
  const options = body.object('options');
  if (options === undefined) return;
  const read = createFieldReader(options, 'options.');
  for (const name of ['use_cache', 'wait_for_model', 'use_gpu']) read.boolean(name);
  const [unknown] = read.rest().keys();
  if (unknown !== undefined) {
    throw refuseOption(`options.${unknown.slice(0, 80)}`, 'unknown; expected use_cache and wait_for_model');
  }
}

/** The last `truncate` tokens of the text; the whole of it must be short enough without. */
function readPrompt(model: TextModel, inputs: string, truncate: number | undefined): readonly TokenId[] {
  const { contextLength } = model.info.config;
  if (truncate === undefined) return encodePrompt(model, 'inputs', inputs, contextLength - 1);
  const max = Math.min(truncate, contextLength - 1);
  // No more of a long text is read than its end can need.
  const end = inputs.slice(-max * model.tokenizer.longestTokenBytes);
  return model.tokenizer.encode(end).slice(-max);
}

function readShaping(read: FieldReader, dialect: Dialect, withoutParameters: boolean): Map<string, JsonValue> {
  const generate = new Map<string, JsonValue>();
  const temperature = read.number('temperature', 0, 100);
  const topK = read.integer('top_k', { min: 0 });
  const topP = read.number('top_p', 0, 1);
  const typicalP = read.number('typical_p', 0, 1);
  const asked = read.boolean('do_sample');
  const warps = [(temperature ?? 1) !== 1, (topK ?? 0) > 0, (topP ?? 1) < 1, (typicalP ?? 1) < 1].includes(true);
  // TGI samples when anything asks for it, and when there are no parameters at all.
  const sampling = asked ?? (dialect === 'inference' || withoutParameters || warps);
  if (sampling && temperature === 0) {
    throw refuseField('temperature', 'a number above 0 (for greedy decoding set do_sample to false)', temperature);
  }
  generate.set('do_sample', sampling);
  const kept = topK ?? (dialect === 'inference' ? undefined : 0);
  if (kept !== undefined) generate.set('top_k', kept);
  const shaping = [
    ['temperature', temperature],
    ['top_p', topP],
    ['typical_p', typicalP],
  ] as const;
  for (const [name, value] of shaping) if (value !== undefined && sampling) generate.set(name, value);
  const frequency = read.number('frequency_penalty', -2, 2);
  if (frequency !== undefined) generate.set('frequency_penalty', frequency);
  generate.set('max_new_tokens', read.integer('max_new_tokens', { min: 1 }) ?? DEFAULT_NEW_TOKENS);
  const stops = readStops(read);
  if (stops.length > 0) generate.set('stop_strings', [...stops]);
  // The scheme and strength of TGI's watermark.
  if (read.boolean('watermark') === true) generate.set('watermarking_config', { greenlist_ratio: 0.5, bias: 2 });
  return generate;
}

/** `stop`, or `stop_sequences` as the Inference API spells it. Their text stays in the output. */
function readStops(read: FieldReader): readonly string[] {
  const value = read.value('stop') ?? read.value('stop_sequences');
  if (value === undefined) return [];
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  const stops = list.filter((stop) => typeof stop === 'string');
  if (stops.length < list.length || list.length > MAX_STOPS || stops.includes('')) {
    throw refuseField('stop', `up to ${MAX_STOPS} non-empty texts`, value);
  }
  return stops;
}

function readCounts(
  read: FieldReader,
  dialect: Dialect,
  { sampling, stream }: { readonly sampling: boolean; readonly stream: boolean },
): { readonly sequences: number; readonly returned: number } {
  const bestOf = read.integer('best_of', { min: 1, max: MAX_SEQUENCES }) ?? 1;
  if (bestOf > 1 && !sampling) throw refuseOption('best_of', 'acts only when sampling; set do_sample to true');
  const several = read.integer('num_return_sequences', { min: 1, max: MAX_SEQUENCES }) ?? 1;
  if (several > 1 && dialect !== 'inference') {
    throw refuseOption('num_return_sequences', 'the reply has room for one; use best_of or POST /models/…');
  }
  if (several > 1 && bestOf > 1) throw refuseOption('best_of', 'expected one of best_of and num_return_sequences');
  if (stream && bestOf * several > 1) {
    throw refuseOption(bestOf > 1 ? 'best_of' : 'num_return_sequences', 'cannot be streamed; leave stream out');
  }
  return { sequences: bestOf * several, returned: several };
}
