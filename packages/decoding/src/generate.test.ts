import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodingError } from './decoding-error.ts';
import { runStrategy, type Scorer } from './drive.ts';
import { generate } from './generate.ts';
import type { GenerateOutcome } from './generate-outcome.ts';
import { seededNoise } from './noise.ts';
import { parseGenerateParameters } from './parameters/parse-generate-parameters.ts';
import type { ScoreRequest } from './strategy.ts';
import { constantScorer, TOY_EOS, TOY_VOCABULARY, toyContext, toyScorer } from './testing/toy-scorer.ts';
import { textToken, textTokenBytes } from './testing/vocabulary.ts';

const PROMPT = [5, 9, 1, 14, 5, 9];

type Params = Record<string, unknown>;

function run(
  params: Params,
  { prompt = PROMPT, scorer = toyScorer, requests = [] as ScoreRequest[] } = {},
): GenerateOutcome {
  const { config } = parseGenerateParameters(params, toyContext(prompt.length));
  const strategy = generate({ prompt, config: structuredClone(config) }, { clock: () => 0 });
  return runStrategy(strategy, scorer, (request) => requests.push(request));
}

const tokensOf = (outcome: GenerateOutcome) => outcome.sequences.map(({ tokens }) => [...tokens]);

const SOME_OF_EACH: readonly Params[] = [
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

test('the first sequence does not depend on num_return_sequences', () => {
  const params = { do_sample: true, seed: 123, max_new_tokens: 12 };
  const four = tokensOf(run({ ...params, num_return_sequences: 4 }));
  assert.deepEqual(tokensOf(run(params)), four.slice(0, 1));
  assert.deepEqual(tokensOf(run({ ...params, num_return_sequences: 2 })), four.slice(0, 2));
  assert.equal(new Set(four.map(String)).size, 4);
});

test('a sampled outcome names the seed that reproduces it', () => {
  const first = run({ do_sample: true });
  assert.ok(first.seed !== undefined);
  assert.deepEqual(run({ do_sample: true, seed: first.seed }), first);
  assert.equal('seed' in run({}), false);
});

test('the prompt is scored once in every mode', () => {
  for (const params of SOME_OF_EACH) {
    const requests: ScoreRequest[] = [];
    run(params, { requests });
    const prefills = requests.flatMap((request) => request.rows).filter((row) => row.tokens.length === PROMPT.length);
    assert.equal(prefills.length, 1, JSON.stringify(params));
  }
});

test('tokens reported as final are the beginning of the returned sequence', () => {
  for (const params of SOME_OF_EACH) {
    const requests: ScoreRequest[] = [];
    const outcome = run(params, { requests });
    for (const [index, { tokens }] of outcome.sequences.entries()) {
      const finalTokens = requests
        .flatMap((request) => request.finalTokens.filter((one) => one.index === index))
        .flatMap((one) => one.tokens);
      assert.deepEqual(finalTokens, tokens.slice(0, finalTokens.length), JSON.stringify(params));
      const isBeam = 'num_beams' in params;
      assert.ok(isBeam ? finalTokens.length === 0 : finalTokens.length >= tokens.length - 5, JSON.stringify(params));
    }
  }
});

test('prompt lookup gives the tokens of plain decoding in fewer score requests', () => {
  // A text that repeats itself: the next token depends on the last one alone.
  const scorer: Scorer = ({ tokens, start }) => ({
    logits: tokens
      .slice(start)
      .map((token) => Float32Array.from({ length: TOY_VOCABULARY }, (_, id) => (id === (token + 1) % 5 ? 4 : 0))),
    hidden: [],
    layers: [],
  });
  for (const params of [
    {},
    { do_sample: true, seed: 2, temperature: 0.4 },
    { repetition_penalty: 1.3 },
    { stopping_criteria: [{ type: 'stop_token_sequences', sequences: [[4, 0, 1]] }] },
  ]) {
    const [plain, lookup]: [ScoreRequest[], ScoreRequest[]] = [[], []];
    const limits = { max_new_tokens: 50, eos_token_id: -1 };
    const expected = run({ ...limits, ...params }, { scorer, requests: plain });
    const got = run(
      { ...limits, ...params, prompt_lookup_num_tokens: 6, max_matching_ngram_size: 3 },
      { scorer, requests: lookup },
    );
    assert.deepEqual(got, expected);
    assert.ok(lookup.length <= plain.length);
    if (Object.keys(params).length === 0)
      assert.ok(lookup.length < plain.length / 2, `${lookup.length} of ${plain.length}`);
  }
});

test('guidance changes nothing when the unconditional branch has the same logits', () => {
  const scorer = constantScorer(Array.from({ length: TOY_VOCABULARY }, (_, id) => Math.sin(id * 2.7)));
  for (const params of [{}, { num_beams: 3 }, { do_sample: true, seed: 9 }]) {
    const plain = tokensOf(run({ ...params, max_new_tokens: 6 }, { scorer }));
    assert.deepEqual(tokensOf(run({ ...params, max_new_tokens: 6, guidance_scale: 2.5 }, { scorer })), plain);
  }
});

test('the unconditional branch of a beam follows that beam', () => {
  const outcome = run({
    num_beams: 3,
    guidance_scale: 1.5,
    max_new_tokens: 5,
    negative_prompt_ids: [2],
    eos_token_id: -1,
  });
  const row = (prefix: readonly number[]) =>
    toyScorer({ tokens: prefix, start: prefix.length - 1, hidden: false, layers: [] }).logits[0]!;
  const logSoftmax = (logits: Float32Array) => {
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    return [...logits].map((logit) => logit - Math.log(sum));
  };
  for (const { tokens, score } of outcome.sequences) {
    let total = 0;
    for (const [at, token] of tokens.entries()) {
      const conditional = logSoftmax(row([...PROMPT, ...tokens.slice(0, at)]))[token]!;
      const unconditional = logSoftmax(row([2, ...tokens.slice(0, at)]))[token]!;
      total += 1.5 * (conditional - unconditional) + unconditional;
    }
    assert.ok(Math.abs(total / tokens.length - score!) < 1e-4);
  }
});

test('the score of a beam is the sum over its own tokens, in every beam search', () => {
  const sampling = { do_sample: true, top_k: 0, seed: 6 };
  const searches: readonly Params[] = [
    { num_beams: 3, num_return_sequences: 3 },
    { num_beams: 3, num_return_sequences: 3, ...sampling },
    { num_beams: 3, num_return_sequences: 3, compat: '4.25' },
    { num_beams: 3, num_return_sequences: 4, compat: '4.25', ...sampling },
    { num_beams: 6, num_beam_groups: 3, diversity_penalty: 2.5, num_return_sequences: 6 },
    { num_beams: 6, num_beam_groups: 3, diversity_penalty: 2.5, num_return_sequences: 6, compat: '4.25' },
    { num_beams: 4, force_words_ids: [[7, 8], [11]], num_return_sequences: 4 },
  ];
  for (const params of searches.flatMap((one) => [one, { ...one, eos_token_id: -1 }])) {
    const shown = JSON.stringify(params);
    const outcome = run({ ...params, length_penalty: 0, max_new_tokens: 9, logprobs: 0 });
    for (const { tokens, score, logprobs, finishReason } of outcome.sequences) {
      assert.equal(finishReason, tokens.at(-1) === TOY_EOS && !('eos_token_id' in params) ? 'eos' : 'length', shown);
      let sum = 0;
      for (const [at, token] of tokens.entries()) {
        const prefix = [...PROMPT, ...tokens.slice(0, at)];
        const [logits] = toyScorer({ tokens: prefix, start: prefix.length - 1, hidden: false, layers: [] }).logits;
        const logprob = logits![token]! - Math.log(logits!.reduce((total, logit) => total + Math.exp(logit), 0));
        assert.equal(logprobs![at]!.token, token, shown);
        assert.ok(Math.abs(logprobs![at]!.logprob - logprob) < 1e-4, `token ${at} of ${shown}`);
        sum += logprob;
      }
      // A penalty of diversity is part of the score.
      if (!('diversity_penalty' in params)) assert.ok(Math.abs(sum - score!) < 1e-4, shown);
    }
  }
});

test('base64 rows of a large vocabulary decode to the same scores', () => {
  const logits = Array.from({ length: 7001 }, (_, id) => id / 8);
  const context = { vocabSize: 7001, contextLength: 8, eosTokenId: null, promptLength: 1 };
  const { config } = parseGenerateParameters(
    { output_logits: true, scores_format: 'base64', max_new_tokens: 1 },
    context,
  );
  const outcome = runStrategy(generate({ prompt: [0], config }, { clock: () => 0 }), constantScorer(logits));
  const row = outcome.logits![0]![0]!;
  assert.ok(row.type === 'base64');
  const bytes = Buffer.from(row.data, 'base64');
  assert.deepEqual(
    logits.map((_, id) => bytes.readFloatLE(id * 4)),
    logits,
  );
});

test('max_time ends every sequence after the step that passed it', () => {
  for (const params of [
    { do_sample: true, seed: 1, num_return_sequences: 2 },
    { num_beams: 2 },
    { penalty_alpha: 0.5 },
  ]) {
    let now = 1000;
    const limits = { max_time: 0.05, max_new_tokens: 40, eos_token_id: -1 };
    const { config } = parseGenerateParameters({ ...params, ...limits }, toyContext(PROMPT.length));
    const strategy = generate({ prompt: PROMPT, config }, { clock: () => now });
    const outcome = runStrategy(strategy, toyScorer, () => {
      now += 20;
    });
    for (const { tokens, finishReason } of outcome.sequences) {
      assert.equal(finishReason, 'time');
      assert.ok(tokens.length <= 3 && tokens.length >= 1, String(tokens.length));
    }
  }
});

test('a stop string stays in the output and names the reason', () => {
  const text = 'st';
  const tokens = [textToken('x'), textToken(text), textToken('opera'), textToken('x')];
  const scorer: Scorer = ({ tokens: prefix, start }) => ({
    logits: prefix.slice(start).map((_, at) => {
      const row = new Float32Array(300);
      row[tokens[start + at] ?? 0] = 5;
      return row;
    }),
    hidden: [],
    layers: [],
  });
  const context = { vocabSize: 300, contextLength: 64, eosTokenId: 299, promptLength: 1 };
  const { config } = parseGenerateParameters({ stop_strings: 'stop' }, context);
  const outcome = runStrategy(
    generate({ prompt: [65], config }, { clock: () => 0, tokenBytes: textTokenBytes }),
    scorer,
  );
  assert.deepEqual(outcome.sequences, [{ tokens: tokens.slice(0, 3), finishReason: 'stop' }]);
  assert.throws(
    () => generate({ prompt: [65], config }, { clock: () => 0 }),
    (error) => error instanceof DecodingError && error.code === 'missing_dependency',
  );
});

test('log-probabilities are those of the model before processing', () => {
  const prompt = Array.from({ length: 41 }, (_, at) => (at * 7) % TOY_VOCABULARY);
  for (const params of [
    { temperature: 0.5, do_sample: true, seed: 3 },
    { num_beams: 2 },
    { penalty_alpha: 0.3 },
    { num_beams: 2, compat: '4.25', max_length: 46 },
  ]) {
    const requests: ScoreRequest[] = [];
    const outcome = run(
      {
        ...('compat' in params ? {} : { max_new_tokens: 5 }),
        ...params,
        logprobs: 3,
        prompt_logprobs: 1,
        repetition_penalty: 1.5,
      },
      { prompt, requests },
    );
    const whole = [...prompt, ...outcome.sequences[0]!.tokens];
    const reports = [...outcome.promptLogprobs!, ...outcome.sequences[0]!.logprobs!];
    assert.equal(reports.length, whole.length - 1);
    for (const [at, { token, logprob, top }] of reports.entries()) {
      assert.equal(token, whole[at + 1]);
      const [logits] = toyScorer({ tokens: whole.slice(0, at + 1), start: at, hidden: false, layers: [] }).logits;
      const sum = logits!.reduce((total, logit) => total + Math.exp(logit), 0);
      assert.ok(Math.abs(logprob - (logits![token]! - Math.log(sum))) < 1e-5);
      assert.equal(top.length, at < prompt.length - 1 ? 1 : 3);
      assert.ok(top.every((one, rank) => rank === 0 || one.logprob <= top[rank - 1]!.logprob));
      assert.ok(Math.abs(top[0]!.logprob - (Math.max(...logits!) - Math.log(sum))) < 1e-5);
    }
    assert.ok(
      requests.every((request) => request.rows.every((row) => row.scored !== 'all' || row.tokens.length <= 32)),
    );
  }
});

test('scores and logits are returned for every step and running row', () => {
  const outcome = run({
    output_scores: true,
    output_logits: true,
    scores_format: 'base64',
    max_new_tokens: 4,
    eos_token_id: -1,
    suppress_tokens: [7],
  });
  assert.equal(outcome.scores!.length, 4);
  const decode = (row: unknown) => {
    assert.ok(typeof row === 'object' && row !== null && 'data' in row && typeof row.data === 'string');
    const bytes = Buffer.from(row.data, 'base64');
    return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
  };
  const [logits] = toyScorer({ tokens: PROMPT, start: PROMPT.length - 1, hidden: false, layers: [] }).logits;
  assert.deepEqual(decode(outcome.logits![0]![0]), [...logits!]);
  assert.deepEqual(
    decode(outcome.scores![0]![0]),
    [...logits!].map((logit, id) => (id === 7 ? Number.NEGATIVE_INFINITY : logit)),
  );
  const top = run({
    output_scores: true,
    scores_format: { top: 2 },
    num_beams: 3,
    num_return_sequences: 3,
    max_new_tokens: 4,
  });
  const { tokens, beamIndices, score } = top.sequences[0]!;
  // Each token's score is found through the beam it continued, and they add up to the sequence's.
  const full = run({
    output_scores: true,
    scores_format: { top: 24 },
    num_beams: 3,
    num_return_sequences: 3,
    max_new_tokens: 4,
  });
  const sum = tokens.reduce((total, token, at) => {
    const row = full.scores![at]![beamIndices![at]!]!;
    assert.ok(row.type === 'top');
    return total + row.entries.find(([id]) => id === token)![1];
  }, 0);
  assert.ok(Math.abs(sum / tokens.length - score!) < 1e-5);
  assert.ok(top.scores!.every((step) => step.every((row) => row?.type === 'top' && row.entries.length === 2)));
});

test('fails with no_possible_token when every token is forbidden', () => {
  const all = Array.from({ length: TOY_VOCABULARY }, (_, id) => id);
  for (const params of [{}, { do_sample: true }, { penalty_alpha: 0.5 }]) {
    assert.throws(
      () => run({ ...params, suppress_tokens: all }),
      (error) => error instanceof DecodingError && error.code === 'no_possible_token',
    );
  }
});

test('warns when fewer sequences are possible than num_return_sequences', () => {
  const params = {
    num_beams: 4,
    num_return_sequences: 4,
    prefix_allowed_tokens_fn: {
      allowed_sequences: [
        [7, TOY_EOS],
        [8, TOY_EOS],
      ],
      after_prompt: true,
    },
  };
  const outcome = run(params);
  assert.deepEqual(new Set(tokensOf(outcome).map(String)), new Set([`7,${TOY_EOS}`, `8,${TOY_EOS}`]));
  assert.match(outcome.warnings![0]!, /only 2 of 4/);
});

test('constrained search warns of sequences that leave a constraint unmet', () => {
  const outcome = run({ num_beams: 2, force_words_ids: [[7, 8, 9, 10]], max_new_tokens: 2 });
  assert.match(outcome.warnings![0]!, /constraint/);
  assert.equal(run({ num_beams: 2, force_words_ids: [[7]], max_new_tokens: 6 }).warnings, undefined);
});

test('custom processors run in their order, and in place of built-in ones', () => {
  const forced = run({
    logits_processor: [
      { type: 'suppress_tokens', value: [7] },
      { type: 'sequence_bias', value: [[[8], 100]] },
    ],
    max_new_tokens: 2,
  });
  assert.deepEqual(tokensOf(forced), [[8, 8]]);
  const replaced = run({ repetition_penalty: 1.9, logits_processor: [{ type: 'repetition_penalty', value: 1.2 }] });
  assert.deepEqual(replaced, run({ repetition_penalty: 1.2 }));
});

test('any mix of valid parameters ends in time and within the length and vocabulary limits', () => {
  const draw = seededNoise(2024).stream(0);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(draw() * values.length)]!;
  const maybe = (name: string, values: readonly unknown[]): Params => (draw() < 0.25 ? { [name]: pick(values) } : {});
  const modes: readonly Params[] = SOME_OF_EACH.map(({ max_new_tokens: _, ...params }) => params);
  for (let round = 0; round < 400; round++) {
    const mode = pick(modes);
    const is518 = mode.compat === undefined;
    const newTokens = 1 + Math.floor(draw() * 14);
    const forbidden = pick([[], [7], [1, 2, 8], [11, 12]]);
    const params: Params = {
      ...mode,
      max_new_tokens: newTokens,
      ...(forbidden.length > 0 ? { suppress_tokens: forbidden } : {}),
      ...maybe('repetition_penalty', [0.7, 1.4]),
      ...maybe('no_repeat_ngram_size', [1, 2, 3]),
      ...maybe('min_length', [3, PROMPT.length + 1]),
      ...maybe('forced_eos_token_id', [TOY_EOS]),
      ...maybe('exponential_decay_length_penalty', [[1, 1.3]]),
      ...maybe('bad_words_ids', [[[16], [4, 6]]]),
      // At a first position that is also the last, this would forbid what forced_eos_token_id forces.
      ...(newTokens > 1 ? maybe('begin_suppress_tokens', [[TOY_EOS]]) : {}),
      ...maybe('renormalize_logits', [true]),
      ...('force_words_ids' in mode || 'num_beam_groups' in mode ? {} : maybe('length_penalty', [0, -1, 2])),
      ...(is518 ? maybe('eos_token_id', [[3, 4], -1]) : {}),
      ...(mode.do_sample === true
        ? {
            ...maybe('temperature', [0.3, 3]),
            ...maybe('top_p', [0.2, 0.9]),
            ...maybe('typical_p', [0.5]),
            ...maybe('top_k', [0, 3]),
          }
        : {}),
      ...(mode.do_sample === true && is518
        ? { ...maybe('min_p', [0.1]), ...maybe('eta_cutoff', [0.05]), ...maybe('top_h', [0.5]) }
        : {}),
      ...(is518 ? maybe('watermarking_config', [{}]) : {}),
    };
    const shown = JSON.stringify(params);
    let outcome: GenerateOutcome;
    try {
      outcome = run(params);
    } catch (error) {
      throw new Error(shown, { cause: error });
    }
    assert.ok(outcome.sequences.length > 0, shown);
    for (const { tokens, finishReason } of outcome.sequences) {
      assert.ok(tokens.length >= 1 && tokens.length <= newTokens, shown);
      assert.ok(finishReason === 'eos' || finishReason === 'length', shown);
      if (finishReason === 'length') assert.equal(tokens.length, newTokens, shown);
      if (!('forced_eos_token_id' in params)) assert.ok(!tokens.some((token) => forbidden.includes(token)), shown);
      if ('bad_words_ids' in params) assert.ok(!tokens.includes(16), shown);
    }
  }
});

test('max_new_tokens 0 with prompt_logprobs scores the prompt and generates nothing', () => {
  const requests: ScoreRequest[] = [];
  const scored = run({ max_new_tokens: 0, prompt_logprobs: 2 }, { requests });
  const generated = run({ max_new_tokens: 3, prompt_logprobs: 2 });
  assert.deepEqual(scored.sequences, [{ tokens: [], finishReason: 'length' }]);
  assert.deepEqual(scored.promptLogprobs, generated.promptLogprobs);
  assert.equal(scored.promptLogprobs?.length, PROMPT.length - 1);
  assert.equal(requests.length, 1);
  assert.throws(() => run({ max_new_tokens: 0 }), /max_new_tokens: expected an integer of at least 1/);
});

test('a prompt that fills the context can be scored, not continued', () => {
  const prompt = Array.from({ length: 64 }, (_, at) => at % 20);
  assert.equal(run({ max_new_tokens: 0, prompt_logprobs: 0 }, { prompt }).promptLogprobs?.length, 63);
  assert.throws(() => run({ max_new_tokens: 1, prompt_logprobs: 0 }, { prompt }), /at most 63 tokens/);
});

test('final tokens carry the log-probabilities that the outcome holds', () => {
  for (const params of [
    {},
    { do_sample: true, seed: 4, num_return_sequences: 2 },
    { penalty_alpha: 0.6, top_k: 4 },
    { prompt_lookup_num_tokens: 4 },
  ]) {
    const requests: ScoreRequest[] = [];
    const outcome = run({ ...params, max_new_tokens: 9, logprobs: 2, eos_token_id: -1 }, { requests });
    for (const [index, { tokens, logprobs }] of outcome.sequences.entries()) {
      const finalTokens = requests.flatMap((request) => request.finalTokens).filter((one) => one.index === index);
      const seen = finalTokens.flatMap((one) => one.reports ?? []);
      assert.ok(seen.length > 0, JSON.stringify(params));
      assert.deepEqual(seen, logprobs?.slice(0, seen.length));
      assert.deepEqual(
        seen.map(({ token }) => token),
        tokens.slice(0, seen.length),
      );
    }
  }
});
