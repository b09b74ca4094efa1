import type { GenerateConfig } from '../generate-config.ts';
import { WITHOUT_EFFECT } from './known-parameters.ts';
import type { Fields } from './read-value.ts';

const SAMPLING_ONLY = [
  'temperature',
  'top_k',
  'top_p',
  'min_p',
  'top_h',
  'typical_p',
  'epsilon_cutoff',
  'eta_cutoff',
  'filter_before_temperature',
  'seed',
];

/** One sentence for each parameter that was given and has no effect, naming it and the reason. */
export function ignoredParameters(fields: Fields, config: GenerateConfig): string[] {
  const warnings: string[] = [];
  const ignored = (names: readonly string[], reason: string) => {
    for (const name of names) if (fields.has(name)) warnings.push(`${name} is ignored: ${reason}`);
  };
  const { mode } = config;
  const isBeam = mode === 'beam' || mode === 'beam-sample' || mode === 'group' || mode === 'constrained';
  const usesLookup = config.promptLookupNumTokens > 0;

  if (!config.doSample) {
    const names = SAMPLING_ONLY.filter((name) => name !== 'top_k' || mode !== 'contrastive');
    ignored(names, 'it acts only with do_sample');
  } else {
    if (config.topP >= 1) ignored(['top_p'], 'only values below 1 act');
    if (config.typicalP >= 1) ignored(['typical_p'], 'only values below 1 act');
    if (!(config.epsilonCutoff > 0 && config.epsilonCutoff < 1)) {
      ignored(['epsilon_cutoff'], 'only values between 0 and 1 act');
    }
    if (!(config.etaCutoff > 0 && config.etaCutoff < 1)) ignored(['eta_cutoff'], 'only values between 0 and 1 act');
  }
  if (!isBeam) ignored(['length_penalty', 'early_stopping'], 'it acts only with num_beams above 1');
  if (mode !== 'group') ignored(['num_beam_groups', 'diversity_penalty'], 'it acts only in group beam search');
  if (mode !== 'contrastive') {
    const topK = config.compat === '4.25' ? 'a top_k above 1 in the request' : 'top_k above 1';
    ignored(['penalty_alpha'], `contrastive search needs it above 0, ${topK} and no do_sample; decoding is ${mode}`);
  } else if (config.compat === '4.25') {
    ignored(['num_beams'], 'contrastive search has no beams');
  }
  if (mode !== 'dola') ignored(['dola_layers'], 'it acts only without beams and prompt lookup');
  if (!usesLookup) {
    ignored(['prompt_lookup_num_tokens'], `it does not act in ${mode} decoding`);
    ignored(['max_matching_ngram_size'], 'it acts only with prompt_lookup_num_tokens');
  }
  if (config.guidanceScale === 1) {
    ignored(['guidance_scale'], '1 is neutral');
    ignored(['negative_prompt_ids'], 'it acts only with guidance_scale other than 1');
  }
  if (config.noRepeatNgramSize < 0) ignored(['no_repeat_ngram_size'], 'only values above 0 act');
  if (config.encoderNoRepeatNgramSize < 0) ignored(['encoder_no_repeat_ngram_size'], 'only values above 0 act');
  if (fields.has('max_new_tokens')) ignored(['max_length'], 'max_new_tokens wins');
  if (fields.has('min_new_tokens')) ignored(['min_length'], 'min_new_tokens wins');
  if (config.minLength > config.maxLength) {
    const name = fields.has('min_new_tokens') ? 'min_new_tokens' : 'min_length';
    warnings.push(
      `${name} lies beyond the limit of ${config.maxLength} tokens, prompt included: EOS is never possible`,
    );
  }
  if (fields.get('return_dict_in_generate') === false) {
    ignored(['output_scores', 'output_logits'], 'return_dict_in_generate is false');
  }
  if (!config.output.scores && !config.output.logits) {
    ignored(['scores_format'], 'it acts only with output_scores or output_logits');
  }
  ignored([...WITHOUT_EFFECT], 'it has no effect on tokens here');
  return warnings;
}
