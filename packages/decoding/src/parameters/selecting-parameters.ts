import type { DecodingMode } from '../generate-config.ts';

const CONSTRAINTS = ['force_words', 'force_words_ids', 'constraints'] as const;

/** The parameters by which a request selects each mode. */
const SELECTING: Readonly<Record<DecodingMode, readonly string[]>> = {
  greedy: ['do_sample', 'num_beams'],
  sample: ['do_sample'],
  beam: ['num_beams', 'do_sample'],
  'beam-sample': ['num_beams', 'do_sample'],
  group: ['num_beam_groups', 'num_beams'],
  constrained: [...CONSTRAINTS, 'num_beams'],
  contrastive: ['penalty_alpha', 'top_k'],
  dola: ['dola_layers', 'do_sample'],
  score: ['max_new_tokens', 'prompt_logprobs'],
};

/** Those of the given parameters that selected the mode; none where an API's or `generate`'s defaults did. */
export function selectingParameters(mode: DecodingMode, given: ReadonlyMap<string, unknown>): readonly string[] {
  return SELECTING[mode].filter((name) => given.has(name));
}
