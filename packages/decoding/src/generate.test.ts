import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodingError } from './decoding-error.ts';
import { runStrategy, type Scorer } from './drive.ts';
import { generate } from './generate.ts';
import type { GenerateOutcome } from './generate-outcome.ts';
import { parseGenerateParameters } from './parameters/parse-generate-parameters.ts';
import type { ScoreRequest } from './strategy.ts';
import { EVERY_MODE, runToy, TOY_PROMPT } from './testing/run-toy.ts';
import { seededUniforms } from './testing/seeded-uniforms.ts';
import { constantScorer, TOY_EOS, TOY_VOCABULARY, toyContext, toyScorer } from './testing/toy-scorer.ts';
import { textToken, textTokenBytes } from './testing/vocabulary.ts';

const tokensOf = (outcome: GenerateOutcome) => outcome.sequences.map(({ tokens }) => [...tokens]);

test('the first sequence does not depend on num_return_sequences', () => {
  const params = { do_sample: true, seed: 123, max_new_tokens: 12 };
  const four = tokensOf(runToy({ ...params, num_return_sequences: 4 }));
  assert.deepEqual(tokensOf(runToy(params)), four.slice(0, 1));
  assert.deepEqual(tokensOf(runToy({ ...params, num_return_sequences: 2 })), four.slice(0, 2));
  assert.equal(new Set(four.map(String)).size, 4);
});

test('a sampled outcome contains the seed that reproduces it', () => {
  const first = runToy({ do_sample: true });
  assert.ok(first.seed !== undefined);
  assert.deepEqual(runToy({ do_sample: true, seed: first.seed }), first);
  assert.equal('seed' in runToy({}), false);
});

test('the prompt is scored once in every mode', () => {
  for (const params of EVERY_MODE) {
    const requests: ScoreRequest[] = [];
    runToy(params, { requests });
    const prefills = requests
      .flatMap((request) => request.rows)
      .filter((row) => row.tokens.length === TOY_PROMPT.length);
    assert.equal(prefills.length, 1, JSON.stringify(params));
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
    const expected = runToy({ ...limits, ...params }, { scorer, requests: plain });
    const got = runToy(
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
    const plain = tokensOf(runToy({ ...params, max_new_tokens: 6 }, { scorer }));
    assert.deepEqual(tokensOf(runToy({ ...params, max_new_tokens: 6, guidance_scale: 2.5 }, { scorer })), plain);
  }
});

test('the unconditional branch of a beam follows that beam', () => {
  const outcome = runToy({
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
      const conditional = logSoftmax(row([...TOY_PROMPT, ...tokens.slice(0, at)]))[token]!;
      const unconditional = logSoftmax(row([2, ...tokens.slice(0, at)]))[token]!;
      total += 1.5 * (conditional - unconditional) + unconditional;
    }
    assert.ok(Math.abs(total / tokens.length - score!) < 1e-4);
  }
});

test('max_time ends every sequence after the step that passed it', () => {
  for (const params of [
    { do_sample: true, seed: 1, num_return_sequences: 2 },
    { num_beams: 2 },
    { penalty_alpha: 0.5 },
  ]) {
    let now = 1000;
    const limits = { max_time: 0.05, max_new_tokens: 40, eos_token_id: -1 };
    const { config } = parseGenerateParameters({ ...params, ...limits }, toyContext(TOY_PROMPT.length));
    const strategy = generate({ prompt: TOY_PROMPT, config }, { clock: () => now });
    const outcome = runStrategy(strategy, toyScorer, () => {
      now += 20;
    });
    for (const { tokens, finishReason } of outcome.sequences) {
      assert.equal(finishReason, 'time');
      assert.ok(tokens.length <= 3 && tokens.length >= 1, String(tokens.length));
    }
  }
});

test('keeps a stop string in the output and reports finish reason stop', () => {
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

test('fails with no_possible_token when every token is forbidden', () => {
  const all = Array.from({ length: TOY_VOCABULARY }, (_, id) => id);
  for (const params of [{}, { do_sample: true }, { penalty_alpha: 0.5 }]) {
    assert.throws(
      () => runToy({ ...params, suppress_tokens: all }),
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
  const outcome = runToy(params);
  assert.deepEqual(new Set(tokensOf(outcome).map(String)), new Set([`7,${TOY_EOS}`, `8,${TOY_EOS}`]));
  assert.match(outcome.warnings![0]!, /only 2 of 4/);
});

test('constrained search warns of sequences that do not meet every constraint', () => {
  const outcome = runToy({ num_beams: 2, force_words_ids: [[7, 8, 9, 10]], max_new_tokens: 2 });
  assert.match(outcome.warnings![0]!, /constraint/);
  assert.equal(runToy({ num_beams: 2, force_words_ids: [[7]], max_new_tokens: 6 }).warnings, undefined);
});

test('custom processors run in the given order and replace built-in ones of the same type', () => {
  const forced = runToy({
    logits_processor: [
      { type: 'suppress_tokens', value: [7] },
      { type: 'sequence_bias', value: [[[8], 100]] },
    ],
    max_new_tokens: 2,
  });
  assert.deepEqual(tokensOf(forced), [[8, 8]]);
  const replaced = runToy({ repetition_penalty: 1.9, logits_processor: [{ type: 'repetition_penalty', value: 1.2 }] });
  assert.deepEqual(replaced, runToy({ repetition_penalty: 1.2 }));
});

test('any mix of valid parameters ends within the time, length and vocabulary limits', () => {
  const draw = seededUniforms(2024);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(draw() * values.length)]!;
  const maybe = (name: string, values: readonly unknown[]): Record<string, unknown> =>
    draw() < 0.25 ? { [name]: pick(values) } : {};
  const modes: readonly Record<string, unknown>[] = EVERY_MODE.map(({ max_new_tokens: _, ...params }) => params);
  for (let round = 0; round < 400; round++) {
    const mode = pick(modes);
    const is518 = mode.compat === undefined;
    const newTokens = 1 + Math.floor(draw() * 14);
    const forbidden = pick([[], [7], [1, 2, 8], [11, 12]]);
    const params: Record<string, unknown> = {
      ...mode,
      max_new_tokens: newTokens,
      ...(forbidden.length > 0 ? { suppress_tokens: forbidden } : {}),
      ...maybe('repetition_penalty', [0.7, 1.4]),
      ...maybe('no_repeat_ngram_size', [1, 2, 3]),
      ...maybe('min_length', [3, TOY_PROMPT.length + 1]),
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
      outcome = runToy(params);
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
