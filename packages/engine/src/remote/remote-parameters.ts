/**
 * What a completions server in vLLM's form makes of each parameter of `generate`: one record a parameter. The table in
 * docs/scale-out.md derives from them, and so does the refusal of a request.
 */
import { describeParameters, type GenerateConfig } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';

/** What a server can do, beside what the records say. Plain data. */
export interface RemoteLimits {
  /** Most log-probabilities beside that of a token (`--max-logprobs`). */
  readonly maxLogprobs: number;
  /** Results do not depend on other requests (`VLLM_BATCH_INVARIANT`), as the operator says. */
  readonly deterministic: boolean;
  /** End-of-text tokens of the model: the server forbids them before `min_tokens` whether or not they end the output. */
  readonly eosTokenIds: readonly TokenId[];
}

/**
 * `exactly`: the same rule, up to the rounding of the arithmetic. `in distribution`: the same distribution, drawn with
 * another random stream. `not`: another rule, or none.
 */
export type Honoured = 'exactly' | 'in distribution' | 'not';

export interface RemoteParameter {
  readonly name: string;
  readonly honoured: Honoured;
  /** Completes the entry in the documentation. */
  readonly note?: string;
  /** What is expected of it here; null: this request can be sent. */
  readonly refuses?: (config: GenerateConfig, limits: RemoteLimits) => string | null;
}

/** The largest `logit_bias`, which OpenAI's API has and vLLM clamps to. */
export const MAX_BIAS = 100;
/** Entries of `logit_bias`. */
const MAX_BIASES = 300;
/** A forbidden token is biased by -100: at a higher temperature that forbids less. */
const MAX_FORBIDDING_TEMPERATURE = 2;

const exact = (name: string, note?: string, refuses?: RemoteParameter['refuses']): RemoteParameter => ({
  name,
  honoured: 'exactly',
  ...(note === undefined ? {} : { note }),
  ...(refuses === undefined ? {} : { refuses }),
});
const drawn = (name: string, note?: string, refuses?: RemoteParameter['refuses']): RemoteParameter => ({
  ...exact(name, note, refuses),
  honoured: 'in distribution',
});
/** A parameter that a request must leave out, or at the value that has no effect. */
const never = (name: string, acts: (config: GenerateConfig) => boolean, note?: string): RemoteParameter => ({
  ...exact(name, note, (config) => (acts(config) ? 'no effect' : null)),
  honoured: 'not',
});

const isOn = (value: number): boolean => value > 0;
const isFraction = (value: number): boolean => value > 0 && value < 1;
const isLong = (tokens: readonly TokenId[]): boolean => tokens.length > 1;

/** Tokens that may not be generated: `bad_words_ids` and `suppress_tokens`. */
export function forbiddenTokens({ badWordsIds, suppressTokens }: GenerateConfig): readonly TokenId[] {
  return [...badWordsIds.flat(), ...suppressTokens];
}

function refusesForbidding(config: GenerateConfig): string | null {
  const count = forbiddenTokens(config).length + config.sequenceBias.length;
  if (count > MAX_BIASES) return `at most ${MAX_BIASES} tokens together with sequence_bias, got ${count}`;
  return config.doSample && config.temperature > MAX_FORBIDDING_TEMPERATURE
    ? `a temperature of at most ${MAX_FORBIDDING_TEMPERATURE} beside it, got ${config.temperature}`
    : null;
}

function refusesBadWords(config: GenerateConfig): string | null {
  if (config.badWordsIds.length === 0) return null;
  const long = config.badWordsIds.find(isLong);
  return long === undefined ? refusesForbidding(config) : `words of one token, got one of ${long.length}`;
}

/** vLLM forbids every end until `min_tokens`; `generate` forbids the end-of-text tokens alone. */
function refusesMinimum(config: GenerateConfig, { eosTokenIds }: RemoteLimits): string | null {
  if (config.minLength === 0) return null;
  const ends = new Set(config.eosTokenIds);
  return eosTokenIds.every((id) => ends.has(id)) ? null : "the model's end-of-text token among eos_token_id";
}

const LOGPROBS = (name: string, count: (config: GenerateConfig) => number | null): RemoteParameter =>
  exact(name, 'up to `--max-logprobs` of the server, 20', (config, { maxLogprobs }) => {
    const asked = count(config) ?? 0;
    return asked > maxLogprobs ? `at most ${maxLogprobs}, got ${asked}` : null;
  });

export const REMOTE_PARAMETERS: readonly RemoteParameter[] = [
  exact('max_new_tokens'),
  exact('max_length'),
  exact('min_new_tokens', "with the model's end-of-text token among `eos_token_id`", refusesMinimum),
  exact('min_length', 'as `min_new_tokens`'),
  exact('do_sample', 'greedy decoding; with sampling, the distribution of the filters'),
  drawn('num_return_sequences', 'as `n`'),
  drawn('temperature'),
  drawn('top_k'),
  drawn('top_p', 'not together with `min_p`', ({ doSample, topP, minP }) =>
    doSample && topP < 1 && minP !== null && minP > 0 ? 'no min_p beside it: the server applies min_p first' : null,
  ),
  drawn('min_p', 'not together with `top_p`'),
  never('top_h', ({ doSample, topH }) => doSample && topH !== null),
  never('typical_p', ({ doSample, typicalP }) => doSample && typicalP < 1),
  never('epsilon_cutoff', ({ doSample, epsilonCutoff }) => doSample && isFraction(epsilonCutoff)),
  never('eta_cutoff', ({ doSample, etaCutoff }) => doSample && isFraction(etaCutoff)),
  never(
    'filter_before_temperature',
    ({ doSample, filterBeforeTemperature, temperature }) => doSample && filterBeforeTemperature && temperature !== 1,
  ),
  never('seed', ({ doSample, seed }) => doSample && seed !== null, "our seeds draw from our engine's random stream"),
  never('num_beams', ({ mode }) => mode === 'beam' || mode === 'beam-sample'),
  never('num_beam_groups', ({ mode }) => mode === 'group'),
  never('diversity_penalty', () => false, 'only with `num_beam_groups`'),
  never('length_penalty', () => false, 'only in beam searches'),
  never('early_stopping', () => false, 'only in beam searches'),
  never('penalty_alpha', ({ mode }) => mode === 'contrastive'),
  never('dola_layers', ({ mode }) => mode === 'dola'),
  exact('prompt_lookup_num_tokens', 'without effect: it changes no token'),
  exact('max_matching_ngram_size', 'without effect: it changes no token'),
  never('guidance_scale', ({ guidanceScale }) => guidanceScale !== 1),
  never('negative_prompt_ids', () => false, 'only with `guidance_scale`'),
  never('negative_prompt_attention_mask', () => false, 'only with `guidance_scale`'),
  exact(
    'repetition_penalty',
    'without `sequence_bias` and the penalties of OpenAI beside it',
    ({ repetitionPenalty, sequenceBias, presencePenalty, frequencyPenalty }) =>
      repetitionPenalty !== 1 && (sequenceBias.length > 0 || presencePenalty !== 0 || frequencyPenalty !== 0)
        ? 'no sequence_bias, presence_penalty or frequency_penalty beside it'
        : null,
  ),
  never('encoder_repetition_penalty', ({ encoderRepetitionPenalty }) => encoderRepetitionPenalty !== 1),
  exact('presence_penalty', 'from -2 to 2', ({ presencePenalty }) =>
    Math.abs(presencePenalty) > 2 ? `a number from -2 to 2, got ${presencePenalty}` : null,
  ),
  exact('frequency_penalty', 'from -2 to 2', ({ frequencyPenalty }) =>
    Math.abs(frequencyPenalty) > 2 ? `a number from -2 to 2, got ${frequencyPenalty}` : null,
  ),
  never('no_repeat_ngram_size', ({ noRepeatNgramSize }) => isOn(noRepeatNgramSize)),
  never('encoder_no_repeat_ngram_size', ({ encoderNoRepeatNgramSize }) => isOn(encoderNoRepeatNgramSize)),
  exact('suppress_tokens', 'as a bias of -100', (config) =>
    config.suppressTokens.length === 0 ? null : refusesForbidding(config),
  ),
  never('begin_suppress_tokens', ({ beginSuppressTokens }) => beginSuppressTokens.length > 0),
  never('forced_bos_token_id', ({ forcedBosTokenId }) => forcedBosTokenId !== null),
  never('forced_eos_token_id', ({ forcedEos }) => forcedEos !== null),
  never('forced_decoder_ids', ({ forcedDecoderIds }) => forcedDecoderIds.length > 0),
  never('exponential_decay_length_penalty', ({ exponentialDecay }) => exponentialDecay !== null),
  exact('remove_invalid_values', 'without effect: the server has no invalid values'),
  exact('renormalize_logits', 'without effect on tokens'),
  never('watermarking_config', ({ watermark }) => watermark !== null),
  exact('bad_words_ids', 'words of one token, as a bias of -100', refusesBadWords),
  exact('bad_words', 'as `bad_words_ids`'),
  exact('sequence_bias', 'sequences of one token, from -100 to 100', ({ sequenceBias }) => {
    if (sequenceBias.length > MAX_BIASES) return `at most ${MAX_BIASES} entries, got ${sequenceBias.length}`;
    const long = sequenceBias.find(({ tokens }) => isLong(tokens));
    if (long !== undefined) return `sequences of one token, got one of ${long.tokens.length}`;
    const large = sequenceBias.find(({ bias }) => Math.abs(bias) > MAX_BIAS);
    return large === undefined ? null : `numbers from -${MAX_BIAS} to ${MAX_BIAS}, got ${large.bias}`;
  }),
  never('force_words_ids', () => false, 'as `constraints`'),
  never('force_words', () => false, 'as `constraints`'),
  never('constraints', ({ mode }) => mode === 'constrained'),
  never('prefix_allowed_tokens_fn', ({ allowedTokens }) => allowedTokens !== null),
  never('logits_processor', ({ customProcessors }) => customProcessors.length > 0),
  exact('stop_strings', 'by this server, which ends the request at the stop'),
  exact('stop_in_prompt', 'by this server'),
  exact('max_time', 'by this server'),
  exact('stopping_criteria', 'by this server'),
  exact('eos_token_id'),
  exact('pad_token_id', 'without effect on tokens'),
  LOGPROBS('logprobs', ({ output }) => output.topLogprobs),
  LOGPROBS('prompt_logprobs', ({ output }) => output.promptLogprobs),
  never('processed_logprobs', ({ output }) => output.topLogprobs !== null && output.processed),
  exact('continuation_ids', 'scored as an echo'),
  never('output_scores', ({ output }) => output.scores),
  never('output_logits', ({ output }) => output.logits),
  never('output_beams', ({ output }) => output.beams),
  never('scores_format', () => false, 'only with `output_scores` and `output_logits`'),
  exact('return_dict_in_generate'),
  exact('output_attentions', 'only false is accepted'),
  exact('output_hidden_states', 'only false is accepted'),
  exact('token_healing', 'only false is accepted'),
  exact('compat'),
  exact('generation_config'),
  exact('split_special_tokens'),
  {
    name: 'deterministic',
    honoured: 'not',
    note: 'unless `ENGINE_DETERMINISTIC` says that the server is batch-invariant',
    refuses: ({ deterministic }, limits) => (deterministic && !limits.deterministic ? 'no effect' : null),
  },
  exact('attention_mask', 'ones alone'),
  never('lora', ({ lora }) => lora.length > 0, "vLLM's GPT-J has no LoRA"),
];

/** A parameter with which a request cannot be sent, and what is expected of it. */
export interface RemoteRefusal {
  readonly parameter: string;
  readonly expected: string;
}

/** The parameters with which a request cannot be sent; none: it can. */
export function refusedParameters(config: GenerateConfig, limits: RemoteLimits): readonly RemoteRefusal[] {
  return REMOTE_PARAMETERS.flatMap(({ name, refuses }) => {
    const expected = refuses?.(config, limits) ?? null;
    return expected === null ? [] : [{ parameter: name, expected }];
  });
}

/** Why a request cannot be sent, naming every parameter at fault; null: it can. */
export function describeRefused(config: GenerateConfig, limits: RemoteLimits): string | null {
  const refused = refusedParameters(config, limits);
  if (refused.length === 0) return null;
  const listed = refused.map(({ parameter, expected }) => `${parameter}: expected ${expected}`).join('; ');
  return `${listed}; the server that computes this model cannot honour it otherwise (ENGINE_FALLBACK=on computes it here)`;
}

/** The table for the documentation: accepted parameters of both versions, those without any effect left out. */
export function describeRemoteParameters(): readonly Omit<RemoteParameter, 'refuses'>[] {
  const acting = new Set(describeParameters().flatMap(({ name, effect }) => (effect === 'acts' ? [name] : [])));
  return REMOTE_PARAMETERS.filter(({ name }) => acting.has(name)).map(({ refuses: _, ...entry }) => entry);
}
