import { runStrategy, type Scorer } from '../drive.ts';
import { generate } from '../generate.ts';
import type { GenerateOutcome } from '../generate-outcome.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
import type { ScoreRequest } from '../strategy.ts';
import { toyContext, toyScorer } from './toy-scorer.ts';

export const TOY_PROMPT: readonly number[] = [5, 9, 1, 14, 5, 9];

/** Parameters of every decoding mode. */
export const EVERY_MODE: readonly Record<string, unknown>[] = [
  {},
  { do_sample: true, seed: 4, num_return_sequences: 3 },
  { num_beams: 3, num_return_sequences: 2 },
  { num_beams: 3, do_sample: true, seed: 4 },
  { num_beams: 3, compat: '4.25', max_new_tokens: 12 },
  { num_beams: 2, do_sample: true, num_return_sequences: 3, seed: 4, compat: '4.25', max_new_tokens: 12 },
  { num_beams: 4, num_beam_groups: 2, diversity_penalty: 0.7, num_return_sequences: 4 },
  { num_beams: 3, force_words_ids: [[7, 8]], num_return_sequences: 2 },
  { penalty_alpha: 0.6, top_k: 4 },
  { dola_layers: 'low' },
  { prompt_lookup_num_tokens: 4 },
  { guidance_scale: 1.7 },
  { num_beams: 2, guidance_scale: 1.7, negative_prompt_ids: [4, 4] },
];

/** Generate with a toy model, and append the requests for scores to `requests`. */
export function runToy(
  params: Record<string, unknown>,
  {
    prompt = TOY_PROMPT,
    scorer = toyScorer,
    requests = [],
  }: { readonly prompt?: readonly number[]; readonly scorer?: Scorer; readonly requests?: ScoreRequest[] } = {},
): GenerateOutcome {
  const { config } = parseGenerateParameters(params, toyContext(prompt.length));
  const strategy = generate({ prompt, config: structuredClone(config) }, { clock: () => 0 });
  return runStrategy(strategy, scorer, (request) => requests.push(request));
}
