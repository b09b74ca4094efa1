/** `{inputs, parameters, options, stream}` of Hugging Face's Inference API and of text-generation-inference (TGI). */
import { chooseDefaults, PARAMETER_LIMITS } from '@gptj-cloud/decoding';
import type { JsonValue } from '@gptj-cloud/pickle';
import { callerFields } from '../../generation/caller-fields.ts';
import { createFieldReader, type FieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';
import type { PromptRequest } from '../../generation/generation-service.ts';
import { ROUTE_DEFAULTS } from '../../generation/route-defaults.ts';
import { readStops } from '../../generation/stop-field.ts';
import {
  adapterOf,
  chooseModel,
  encodePrompt,
  readConfig,
  type TextModel,
  useAdapter,
} from '../../generation/text-model.ts';
import { TGI_WATERMARK } from '../../generation/tgi-watermark.ts';

/**
 * Which service's defaults apply. `generate`: TGI's own routes. `compat`: TGI's root. `inference`: the Inference API of
 * 2022, a transformers pipeline, whose defaults for this model sample.
 */
export type Dialect = 'generate' | 'compat' | 'inference';

export interface TextGenerationRequest {
  /** The name of the model that it chooses. */
  readonly model: string;
  readonly prompt: PromptRequest;
  /** The prompt as the caller wrote it, also where `truncate` cuts it. */
  readonly inputs: string;
  readonly returnFullText: boolean;
  readonly details: boolean;
  readonly decoderInputDetails: boolean;
  /** Sequences the engine makes. */
  readonly sequences: number;
  /** Those that are returned; fewer than made with `best_of`. */
  readonly returned: number;
  /** Number of the most likely tokens beside each one; 0: none. */
  readonly topTokens: number;
  readonly stream: boolean;
}

/** TGI's names for parameters of `generate`. */
const NAMES: ReadonlyMap<string, string> = new Map([['stop_strings', 'stop']]);

/** How refusals by `generate` name its parameters here. */
const SPELLING: ReadonlyMap<string, string> = new Map([
  ...NAMES,
  ['num_return_sequences', 'best_of'],
  ['watermarking_config', 'watermark'],
  ['logprobs', 'top_n_tokens'],
]);

/** Names of `generate` and of TGI that are refused here, and what to use. */
const OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['grammar', 'is not offered; constrain with prefix_allowed_tokens_fn {"regex": …}'],
  ['stop_strings', 'use stop'],
  ['logprobs', 'use top_n_tokens with details'],
  ['prompt_logprobs', 'use decoder_input_details'],
  ['output_scores', 'use top_n_tokens with details, or POST /v2/runs'],
  ['output_logits', 'use top_n_tokens with details, or POST /v2/runs'],
  ['scores_format', 'use top_n_tokens with details, or POST /v2/runs'],
  ['return_dict_in_generate', 'use details'],
  ['return_tensors', 'use details'],
]);

/** With `adapter_id`, its name stands for that of `lora`. */
const SPELLING_OF_ADAPTER: ReadonlyMap<string, string> = new Map([...SPELLING, ['lora', 'adapter_id']]);

/**
 * Throws `invalid_parameter` and `model_unknown`, naming the field; unknown fields are refused by name.
 *
 * @param addressed the adapter that the address names
 */
export function parseTextGenerationRequest(
  served: TextModel,
  fields: ReadonlyMap<string, JsonValue>,
  dialect: Dialect,
  mustStream = false,
  addressed: string | null = null,
): TextGenerationRequest {
  const route = ROUTE_DEFAULTS[dialect];
  const { model, adapter, inputs, parameters, stream } = readBody(served, fields, mustStream);
  const read = createFieldReader(callerFields(parameters ?? new Map<string, JsonValue>(), NAMES));
  const returnFullText = read.boolean('return_full_text') ?? route.showsPrompt;
  const details = read.boolean('details') ?? false;
  const decoderInputDetails = read.boolean('decoder_input_details') ?? false;
  if (decoderInputDetails && stream) throw refuseOption('decoder_input_details', 'cannot be streamed; leave it out');
  const topTokens = read.integer('top_n_tokens', { min: 0, max: PARAMETER_LIMITS.topLogprobs }) ?? 0;
  const truncate = read.integer('truncate', { min: 1 });
  const adapterId = read.text('adapter_id') ?? null;
  const splitSpecialTokens = read.boolean('split_special_tokens') ?? false;
  const { bestOf, sequences, returned } = readCounts(read, dialect, stream);

  const max = model.info.config.contextLength - 1;
  const ids = encodePrompt(model, inputs, { field: 'inputs', max, truncate, splitSpecialTokens });
  const given = readGenerateFields(read, ids.length);
  if (splitSpecialTokens) given.set('split_special_tokens', true);
  useAdapter(given, adapterId === null ? 'model' : 'adapter_id', adapterId ?? adapter ?? addressed);
  const { sampling, fields: defaults } = chooseDefaults(route, given, parameters === undefined);
  if (sampling && given.get('temperature') === 0) {
    throw refuseField('temperature', 'a number above 0 (for greedy decoding set do_sample to false)', 0);
  }
  if (!sampling) for (const filter of ['temperature', 'top_p', 'typical_p']) given.delete(filter);
  if (bestOf > 1 && !sampling) throw refuseOption('best_of', 'acts only when sampling; set do_sample to true');
  given.set('num_return_sequences', sequences);
  if (details || stream || sequences > returned) given.set('logprobs', topTokens);
  if (decoderInputDetails) given.set('prompt_logprobs', 0);
  const spelling = adapterId === null ? SPELLING : SPELLING_OF_ADAPTER;
  const config = readConfig(model, { fields: given, defaults, spelling })(ids.length);
  return {
    model: model.info.modelName,
    prompt: { prompt: ids, config },
    inputs,
    returnFullText,
    details,
    decoderInputDetails,
    sequences,
    returned,
    topTokens,
    stream,
  };
}

interface TextGenerationBody {
  readonly model: TextModel;
  /** That the field `model` names. */
  readonly adapter: string | null;
  readonly inputs: string;
  /** Undefined where the body has none. */
  readonly parameters: ReadonlyMap<string, JsonValue> | undefined;
  readonly stream: boolean;
}

function readBody(served: TextModel, fields: ReadonlyMap<string, JsonValue>, mustStream: boolean): TextGenerationBody {
  const body = createFieldReader(fields);
  const inputs = body.value('inputs');
  if (typeof inputs !== 'string' || inputs === '') {
    throw refuseField('inputs', 'a non-empty string (one prompt a request)', inputs ?? null);
  }
  const name = body.text('model');
  const model = chooseModel(served, name);
  const parameters = body.object('parameters');
  const stream = (body.boolean('stream') ?? false) || mustStream;
  readOptions(body);
  const [unknown] = body.rest().keys();
  if (unknown !== undefined) {
    throw refuseOption(unknown.slice(0, 80), 'unknown; expected inputs, parameters, options, stream and model');
  }
  return { model, adapter: adapterOf(served, name), inputs, parameters, stream };
}

/** Accepted without effect: results are never cached, and the model is loaded. */
function readOptions(body: FieldReader): void {
  const options = body.object('options');
  if (options === undefined) return;
  const read = createFieldReader(options, 'options.');
  for (const name of ['use_cache', 'wait_for_model', 'use_gpu', 'dont_load_model']) read.boolean(name);
  const [unknown] = read.rest().keys();
  if (unknown !== undefined) {
    throw refuseOption(`options.${unknown.slice(0, 80)}`, 'unknown; expected use_cache and wait_for_model');
  }
}

/** Parameters of `generate`: TGI's with their own bounds, and all others. */
function readGenerateFields(read: FieldReader, promptLength: number): Map<string, JsonValue> {
  const fields = new Map<string, JsonValue>();
  const shaping = [
    ['temperature', read.number('temperature', 0, 100)],
    ['top_k', read.integer('top_k', { min: 0 })],
    ['top_p', read.number('top_p', 0, 1)],
    ['typical_p', read.number('typical_p', 0, 1)],
    ['do_sample', read.boolean('do_sample')],
    ['frequency_penalty', read.number('frequency_penalty', -2, 2)],
    ['max_new_tokens', read.integer('max_new_tokens', { min: 1 })],
  ] as const;
  for (const [name, value] of shaping) if (value !== undefined) fields.set(name, value);
  // The pipelines of 2022 generate one token where max_length leaves no room.
  const maxLength = read.integer('max_length', { min: 1 });
  if (maxLength !== undefined) fields.set('max_length', Math.max(maxLength, promptLength + 1));
  const stops = readStops(read);
  if (stops.length > 0) fields.set('stop_strings', [...stops]);
  if (read.boolean('watermark') === true) fields.set('watermarking_config', TGI_WATERMARK);
  for (const [name, value] of read.rest()) {
    const instead = OTHERWISE.get(name);
    if (instead !== undefined) throw refuseOption(name, instead);
    fields.set(name, value);
  }
  return fields;
}

interface SequenceCounts {
  readonly bestOf: number;
  /** Sequences to make. */
  readonly sequences: number;
  /** Sequences to return. */
  readonly returned: number;
}

function readCounts(read: FieldReader, dialect: Dialect, stream: boolean): SequenceCounts {
  const bestOf = read.integer('best_of', { min: 1, max: PARAMETER_LIMITS.rows }) ?? 1;
  const several = read.integer('num_return_sequences', { min: 1, max: PARAMETER_LIMITS.rows }) ?? 1;
  if (several > 1 && dialect !== 'inference') {
    throw refuseOption('num_return_sequences', 'the reply has room for one; use best_of or POST /models/…');
  }
  if (several > 1 && bestOf > 1) throw refuseOption('best_of', 'expected one of best_of and num_return_sequences');
  if (stream && bestOf * several > 1) {
    throw refuseOption(bestOf > 1 ? 'best_of' : 'num_return_sequences', 'cannot be streamed; leave stream out');
  }
  return { bestOf, sequences: bestOf * several, returned: several };
}
