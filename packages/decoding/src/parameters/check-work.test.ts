import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from '../generate.ts';
import { ParameterError } from '../parameter-error.ts';
import { workBudget } from '../work-budget.ts';
import { parseGenerateParameters } from './parse-generate-parameters.ts';

const VOCABULARY = 50_400;

const parse = (parameters: Record<string, unknown>, promptLength = 64) =>
  parseGenerateParameters(
    { max_new_tokens: 200, ...parameters },
    { vocabSize: VOCABULARY, contextLength: 2048, eosTokenId: 50_256, promptLength },
  );

const SELF_HASH = { seeding_scheme: 'selfhash', context_width: 1000, greenlist_ratio: 0.9 };

test('refuses parameters whose every step would be too costly, naming the one responsible', () => {
  const cases = [
    [{ num_beams: 64, watermarking_config: SELF_HASH }, 'watermarking_config'],
    [
      {
        num_beams: 64,
        do_sample: true,
        top_k: 0,
        typical_p: 0.9,
        output_scores: true,
        max_new_tokens: 2,
        scores_format: { top: 1000 },
        logprobs: 0,
        output_logits: true,
      },
      'typical_p',
    ],
    [
      {
        stopping_criteria: new Array(16)
          .fill({
            type: 'stop_strings',
            stop_strings: new Array(64).fill('a'.repeat(400)).map((text, at) => text + at),
          })
          .map(({ stop_strings, type }, at) => ({
            type,
            stop_strings: stop_strings.map((text: string) => `${at}${text}`),
          })),
      },
      'stop_strings',
    ],
  ] as const;
  for (const [parameters, name] of cases) {
    assert.throws(
      () => parse(parameters, 1200),
      (error) =>
        error instanceof ParameterError &&
        error.code === 'limit_exceeded' &&
        error.parameters.includes(name) &&
        /steps of work/.test(error.message),
      name,
    );
  }
});

test('refuses more scores and log-probabilities than fit the memory of a generation', () => {
  for (const [parameters, name] of [
    [{ num_beams: 64, logprobs: 100, max_new_tokens: 240 }, 'logprobs'],
    [{ num_beams: 64, output_scores: true, scores_format: { top: 1000 }, max_new_tokens: 40 }, 'output_scores'],
  ] as const) {
    assert.throws(
      () => parse(parameters),
      (error) =>
        error instanceof ParameterError &&
        error.parameters.includes(name) &&
        /at most 1048576 entries/.test(error.message),
    );
  }
  assert.doesNotThrow(() => parse({ num_beams: 64, logprobs: 20, max_new_tokens: 240 }));
  assert.doesNotThrow(() =>
    parse({ logprobs: 100, output_scores: true, scores_format: { top: 100 }, max_new_tokens: 1900 }),
  );
});

test('accepts every mode with as many rows as are allowed', () => {
  const rows = [
    { num_beams: 64 },
    { num_beams: 64, do_sample: true },
    { num_beams: 64, do_sample: true, logprobs: 5 },
    { num_beams: 64, do_sample: true, top_k: 0 },
    { num_return_sequences: 64, do_sample: true, top_k: 0, top_p: 0.9 },
    { num_return_sequences: 64, do_sample: true, logprobs: 5 },
    { num_beams: 32, guidance_scale: 1.5 },
    { num_beams: 64, watermarking_config: {} },
    { num_beams: 2, watermarking_config: SELF_HASH },
  ];
  for (const parameters of rows) assert.doesNotThrow(() => parse(parameters, 1200), JSON.stringify(parameters));
});

test('what is refused beforehand would have failed in the first step', () => {
  const logits = Float32Array.from({ length: VOCABULARY }, (_, token) => ((token * 7919) % 1000) / 100);
  for (const beams of [2, 8, 16, 24]) {
    const parameters = { num_beams: beams, watermarking_config: { ...SELF_HASH, context_width: 4 } };
    const { config } = parse({ num_beams: beams });
    const { watermark } = parse({ ...parameters, num_beams: 2 }).config;
    const budget = workBudget();
    const strategy = generate(
      { prompt: Array.from({ length: 64 }, (_, at) => at), config: { ...config, watermark } },
      { clock: () => 0, budget },
    );
    strategy.next();
    let isRefused = false;
    try {
      parse(parameters);
    } catch {
      isRefused = true;
    }
    const run = () => strategy.next([{ logits: [logits], hidden: [], layers: [] }]);
    if (isRefused) assert.throws(run, { code: 'decoding_too_costly', message: /^watermarking_config/ });
    else if (beams === 2) assert.doesNotThrow(run);
  }
});
