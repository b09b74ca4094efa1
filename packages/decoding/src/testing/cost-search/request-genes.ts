/** The space of requests in which the search for the costliest one moves: each gene sets a few parameters to extremes. */
import type { TokenId } from '@gptj-cloud/model';
import { COST_EOS, COST_VOCABULARY } from './cost-vocabulary.ts';

export type Draw = () => number;

const integer = (draw: Draw, below: number) => Math.floor(draw() * below);
const pick = <T>(draw: Draw, values: readonly T[]): T => values[integer(draw, values.length)]!;
/** Small numbers as often as large ones. */
const size = (draw: Draw, max: number) => Math.max(1, Math.round(max ** draw()));
/** Share of 1, often close to 0 or 1. */
const share = (draw: Draw) => pick(draw, [1e-9, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999999]);

/** Tokens that lists of ids are made of: few, so that they occur in prompts. */
const token = (draw: Draw): TokenId => pick(draw, [97, 98, 300, 300, 300, 301, integer(draw, COST_VOCABULARY)]);
const same = (length: number, id: TokenId): TokenId[] => new Array<TokenId>(length).fill(id);

function words(draw: Draw, totalIds: number): TokenId[][] {
  const length = size(draw, 250);
  const count = Math.min(4096, Math.max(1, Math.floor(totalIds / length)));
  const id = token(draw);
  return Array.from({ length: count }, (_, at) => [...same(length - 1, id), (at * 7 + 5) % COST_VOCABULARY]);
}

const ATOMS = ['a', '[a-z]', '[a-zA-Z ,.]', '.', '[^b]', '(?:)', ' the', 'é', '\\w', '[aeiou]', '(?:a|b|c|d)', '\\W'];

function pattern(draw: Draw, depth: number): string {
  const roll = draw();
  if (depth === 0 || roll < 0.2) return pick(draw, ATOMS);
  if (roll < 0.5)
    return `(?:${pattern(draw, depth - 1)}${pick(draw, ['*', '+', '?', `{${size(draw, 1000)}}`, `{0,${size(draw, 1000)}}`])})`;
  const parts = Array.from({ length: 1 + integer(draw, 4) }, () => pattern(draw, depth - 1));
  return roll < 0.75 ? parts.join('') : `(?:${parts.join('|')})`;
}

/** After an "a", `places` more characters: 2^places sets of states. */
const manySets = (draw: Draw) =>
  `[a-zA-Z ,.]*${pick(draw, ['a', '[aeiou]', '(?:a|b)', ' '])}[a-zA-Z ,.]{${size(draw, 100)}}`;

/** Every gene gives parameters; some belong to one mode, and a request with two modes is often refused. */
export const GENES: Readonly<Record<string, (draw: Draw) => Record<string, unknown>>> = {
  beams: (draw) => ({ num_beams: pick(draw, [2, 8, 16, 32, 64]) }),
  sampling: (draw) => ({ do_sample: true, seed: 1, num_return_sequences: pick(draw, [1, 8, 64]) }),
  compat: () => ({ compat: '4.25' }),
  groups: (draw) => ({ num_beam_groups: pick(draw, [2, 16, 64]), diversity_penalty: 0.5 }),
  contrastive: (draw) => ({ penalty_alpha: 0.6, top_k: pick(draw, [4, 63]) }),
  dola: (draw) => ({ dola_layers: pick(draw, ['low', 'high']) }),
  lookup: (draw) => ({ prompt_lookup_num_tokens: size(draw, 64), max_matching_ngram_size: size(draw, 1e6) }),
  guidance: () => ({ guidance_scale: 1.5 }),
  constraints: (draw) => {
    const count = pick(draw, [1, 64, 256]);
    const alternatives = Array.from({ length: count }, (_, at) => [
      ...same(Math.floor(256 / count) - 1, 300),
      at + 400,
    ]);
    return { constraints: [{ type: 'disjunctive', nested_token_ids: alternatives }] };
  },
  phrases: (draw) => ({ force_words_ids: Array.from({ length: pick(draw, [1, 8, 32]) }, (_, at) => [300, at + 400]) }),
  topK: (draw) => ({ top_k: pick(draw, [0, 1, 50, 256, 257, 5000, 50_000]) }),
  topP: (draw) => ({ top_p: share(draw) }),
  typicalP: (draw) => ({ typical_p: share(draw) }),
  topH: (draw) => ({ top_h: share(draw) }),
  minP: (draw) => ({ min_p: share(draw) }),
  cutoffs: (draw) => ({ epsilon_cutoff: share(draw), eta_cutoff: share(draw) }),
  temperature: (draw) => ({ temperature: pick(draw, [0.001, 0.7, 100]) }),
  filterFirst: () => ({ filter_before_temperature: true }),
  repetition: () => ({ repetition_penalty: 1.1, encoder_repetition_penalty: 1.1 }),
  occurrence: () => ({ presence_penalty: 0.1, frequency_penalty: 0.1 }),
  ngrams: (draw) => ({ no_repeat_ngram_size: size(draw, 2000) }),
  promptNgrams: (draw) => ({ encoder_no_repeat_ngram_size: size(draw, 2000) }),
  badWords: (draw) => ({ bad_words_ids: words(draw, size(draw, 262_144)) }),
  bias: (draw) => ({ sequence_bias: words(draw, size(draw, 262_144)).map((ids, at) => [ids, at / 1000]) }),
  singleBias: (draw) => ({ sequence_bias: Array.from({ length: size(draw, 4096) }, (_, at) => [[at], at / 100]) }),
  suppress: (draw) => ({ suppress_tokens: Array.from({ length: size(draw, 50_000) }, (_, at) => at + 400) }),
  eos: (draw) => ({ eos_token_id: [COST_EOS, ...Array.from({ length: size(draw, 255) }, (_, at) => at + 2000)] }),
  minLength: () => ({ min_new_tokens: 100 }),
  decay: () => ({ exponential_decay_length_penalty: [0, 1.1] }),
  invalid: () => ({ remove_invalid_values: true }),
  renormalize: () => ({ renormalize_logits: true }),
  watermark: (draw) => ({
    watermarking_config: {
      greenlist_ratio: pick(draw, [0.01, 0.25, 0.9, 0.999]),
      seeding_scheme: pick(draw, ['lefthash', 'selfhash', 'selfhash']),
      context_width: size(draw, 1900),
      hashing_key: integer(draw, 2 ** 31),
    },
  }),
  custom: (draw) => ({
    logits_processor: [
      { type: 'typical_p', value: share(draw) },
      { type: 'top_p', value: share(draw) },
      { type: 'top_k', value: size(draw, 50_000) },
      { type: 'no_repeat_ngram_size', value: size(draw, 2000) },
      { type: 'eta_cutoff', value: share(draw) },
    ].slice(0, 1 + integer(draw, 5)),
  }),
  allowedSequences: (draw) => ({
    prefix_allowed_tokens_fn: {
      allowed_sequences: words(draw, size(draw, 262_144)),
      after_prompt: draw() < 0.7,
    },
  }),
  pattern: (draw) => ({ prefix_allowed_tokens_fn: { regex: pattern(draw, 4).slice(0, 2048) } }),
  manySets: (draw) => ({ prefix_allowed_tokens_fn: { regex: manySets(draw) } }),
  stopStrings: (draw) => {
    const length = size(draw, 500);
    const texts = Array.from(
      { length: size(draw, 64) },
      (_, at) => pick(draw, ['a', ' a', 'e']).repeat(length).slice(0, length) + at,
    );
    return { stop_strings: texts };
  },
  stopSequences: (draw) => ({
    stopping_criteria: [{ type: 'stop_token_sequences', sequences: words(draw, size(draw, 262_144)) }],
  }),
  logprobs: (draw) => ({ logprobs: pick(draw, [0, 5, 100]), processed_logprobs: draw() < 0.5 }),
  // Rarely: most of the other genes refuse it.
  continuation: (draw) => (draw() < 0.1 ? { continuation_ids: same(size(draw, 2_000), 300) } : {}),
  promptLogprobs: (draw) => ({ prompt_logprobs: pick(draw, [0, 100]) }),
  scores: (draw) => ({
    output_scores: true,
    output_logits: true,
    scores_format: pick(draw, ['base64', { top: 20 }, { top: 1000 }]),
  }),
  beamTrace: () => ({ output_beams: true }),
};

/** Prompts: one token repeated, a period, or different tokens. */
export const PROMPTS: readonly ((length: number) => TokenId[])[] = [
  (length) => same(length, 300),
  (length) => [...same(length - 1, 300), 301],
  (length) => Array.from({ length }, (_, at) => 300 + (at % 2)),
  (length) => Array.from({ length }, (_, at) => 300 + at),
];
