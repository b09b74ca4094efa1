import type { CompatVersion } from '../generate-config.ts';

/**
 * Every name of `generate` in the two eras, by what becomes of it here. Sources: `GenerationMixin.generate` and
 * `PretrainedConfig` of transformers 4.24/4.25, `GenerationConfig` of 5.18.0.
 */
const BOTH_ERAS: readonly string[] = [
  'max_length',
  'max_new_tokens',
  'min_length',
  'max_time',
  'early_stopping',
  'do_sample',
  'num_beams',
  'num_beam_groups',
  'diversity_penalty',
  'penalty_alpha',
  'temperature',
  'top_k',
  'top_p',
  'typical_p',
  'repetition_penalty',
  'no_repeat_ngram_size',
  'encoder_no_repeat_ngram_size',
  'bad_words_ids',
  'exponential_decay_length_penalty',
  'suppress_tokens',
  'begin_suppress_tokens',
  'forced_bos_token_id',
  'forced_eos_token_id',
  'remove_invalid_values',
  'renormalize_logits',
  'num_return_sequences',
  'length_penalty',
  'output_scores',
  'output_attentions',
  'output_hidden_states',
  'return_dict_in_generate',
  'pad_token_id',
  'bos_token_id',
  'eos_token_id',
  'prefix_allowed_tokens_fn',
  'logits_processor',
  'stopping_criteria',
  'constraints',
  'force_words_ids',
  'use_cache',
  'attention_mask',
  'synced_gpus',
];

const ONLY_4_25: readonly string[] = ['forced_decoder_ids'];

const ONLY_5_18: readonly string[] = [
  'min_new_tokens',
  'stop_strings',
  'dola_layers',
  'low_memory',
  'min_p',
  'top_h',
  'epsilon_cutoff',
  'eta_cutoff',
  'encoder_repetition_penalty',
  'sequence_bias',
  'guidance_scale',
  'negative_prompt_ids',
  'negative_prompt_attention_mask',
  'watermarking_config',
  'token_healing',
  'output_logits',
  'generation_config',
  'prompt_lookup_num_tokens',
  'max_matching_ngram_size',
  'num_assistant_tokens',
  'num_assistant_tokens_schedule',
  'assistant_confidence_threshold',
  'assistant_early_exit',
  'assistant_lookbehind',
  'target_lookbehind',
  'assistant_ensemble_weight',
  'is_assistant',
  'trust_remote_code',
  'use_model_defaults',
  'cache_implementation',
  'cache_config',
  'max_cache_len',
  'return_legacy_cache',
  'prefill_chunk_size',
  'compile_config',
  'disable_compile',
  'continuous_batching_config',
];

/** Names this product adds, in both eras. */
const OWN: readonly string[] = [
  'compat',
  'seed',
  'deterministic',
  'logprobs',
  'prompt_logprobs',
  'scores_format',
  'bad_words',
  'force_words',
  'presence_penalty',
  'frequency_penalty',
  'stop_in_prompt',
  'filter_before_temperature',
];

/** Names that transformers knows and a GPT-J server cannot serve, with the reason given to the caller. */
export const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['decoder_start_token_id', 'it belongs to encoder-decoder models; GPT-J is decoder-only'],
  ['assistant_model', 'there is no second model here; prompt_lookup_num_tokens drafts without one'],
  ['assistant_tokenizer', 'there is no second model here; prompt_lookup_num_tokens drafts without one'],
  ['tokenizer', 'the server uses the tokenizer of GPT-J; leave it out'],
  ['streamer', 'an object cannot travel in a request; ask for a streamed response instead'],
  ['custom_generate', 'code from elsewhere is not run'],
  ['use_mtp', 'GPT-J has no multi-token-prediction head'],
  ['speculation_type', 'GPT-J has no multi-token-prediction head'],
  ['token_type_ids', 'only token ids are taken as input'],
  ['position_ids', 'positions follow from the prompt'],
  ['head_mask', 'only token ids are taken as input'],
  ['inputs_embeds', 'only token ids are taken as input'],
  ['past_key_values', 'the cache is kept by the server'],
]);

/** Accepted without effect: they steer memory or speed of the Python implementation, not tokens. */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'use_cache',
  'synced_gpus',
  'trust_remote_code',
  'use_model_defaults',
  'cache_implementation',
  'cache_config',
  'max_cache_len',
  'return_legacy_cache',
  'prefill_chunk_size',
  'compile_config',
  'disable_compile',
  'continuous_batching_config',
  'num_assistant_tokens',
  'num_assistant_tokens_schedule',
  'assistant_confidence_threshold',
  'assistant_early_exit',
  'assistant_lookbehind',
  'target_lookbehind',
  'assistant_ensemble_weight',
  'is_assistant',
  'bos_token_id',
  'low_memory',
]);

const KNOWN: Readonly<Record<CompatVersion, ReadonlySet<string>>> = {
  '5.18': new Set([...BOTH_ERAS, ...ONLY_5_18, ...OWN]),
  '4.25': new Set([...BOTH_ERAS, ...ONLY_4_25, ...OWN]),
};

/** The accepted wire names of an era. */
export function knownParameters(compat: CompatVersion): ReadonlySet<string> {
  return KNOWN[compat];
}
