import type { CompatVersion } from '../generate-config.ts';

/**
 * The order in which transformers applies processors and warpers, by the names of their parameters
 * (`_get_logits_processor` and `_get_logits_warper` of 4.24, `_get_logits_processor` of 5.18.0). `presence_penalty`
 * applies both penalties of OpenAI, after `repetition_penalty`. Processors that are not listed run after the listed ones.
 */
export const PROCESSOR_ORDER: Readonly<Record<CompatVersion, readonly string[]>> = {
  '5.18': [
    'guidance_scale',
    'sequence_bias',
    'diversity_penalty',
    'encoder_repetition_penalty',
    'repetition_penalty',
    'presence_penalty',
    'no_repeat_ngram_size',
    'encoder_no_repeat_ngram_size',
    'bad_words_ids',
    'min_length',
    'prefix_allowed_tokens_fn',
    'forced_bos_token_id',
    'forced_eos_token_id',
    'remove_invalid_values',
    'exponential_decay_length_penalty',
    'suppress_tokens',
    'begin_suppress_tokens',
    'temperature',
    'top_h',
    'top_k',
    'top_p',
    'min_p',
    'typical_p',
    'epsilon_cutoff',
    'eta_cutoff',
    'watermarking_config',
    'renormalize_logits',
  ],
  '4.25': [
    'diversity_penalty',
    'repetition_penalty',
    'presence_penalty',
    'no_repeat_ngram_size',
    'bad_words_ids',
    'min_length',
    'prefix_allowed_tokens_fn',
    'forced_bos_token_id',
    'forced_eos_token_id',
    'remove_invalid_values',
    'exponential_decay_length_penalty',
    'suppress_tokens',
    'begin_suppress_tokens',
    'forced_decoder_ids',
    'temperature',
    'top_k',
    'top_p',
    'typical_p',
    'renormalize_logits',
  ],
};
