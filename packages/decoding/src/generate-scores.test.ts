import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStrategy } from './drive.ts';
import { generate } from './generate.ts';
import { parseGenerateParameters } from './parameters/parse-generate-parameters.ts';
import type { ScoreRequest } from './strategy.ts';
import { EVERY_MODE, runToy, TOY_PROMPT } from './testing/run-toy.ts';
import { constantScorer, TOY_EOS, TOY_VOCABULARY, toyScorer } from './testing/toy-scorer.ts';

test('tokens reported as final are a prefix of the returned sequence', () => {
  for (const params of EVERY_MODE) {
    const requests: ScoreRequest[] = [];
    const outcome = runToy(params, { requests });
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

test('the score of a beam is the sum over its own tokens, in every beam search', () => {
  const sampling = { do_sample: true, top_k: 0, seed: 6 };
  const searches: readonly Record<string, unknown>[] = [
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
    const outcome = runToy({ ...params, length_penalty: 0, max_new_tokens: 9, logprobs: 0 });
    for (const { tokens, score, logprobs, finishReason } of outcome.sequences) {
      assert.equal(finishReason, tokens.at(-1) === TOY_EOS && !('eos_token_id' in params) ? 'eos' : 'length', shown);
      let sum = 0;
      for (const [at, token] of tokens.entries()) {
        const prefix = [...TOY_PROMPT, ...tokens.slice(0, at)];
        const [logits] = toyScorer({ tokens: prefix, start: prefix.length - 1, hidden: false, layers: [] }).logits;
        const logprob = logits![token]! - Math.log(logits!.reduce((total, logit) => total + Math.exp(logit), 0));
        assert.equal(logprobs![at]!.token, token, shown);
        assert.ok(Math.abs(logprobs![at]!.logprob - logprob) < 1e-4, `token ${at} of ${shown}`);
        sum += logprob;
      }
      // The score includes diversity_penalty.
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

test('reports log-probabilities of the model before processing', () => {
  const prompt = Array.from({ length: 41 }, (_, at) => (at * 7) % TOY_VOCABULARY);
  for (const params of [
    { temperature: 0.5, do_sample: true, seed: 3 },
    { num_beams: 2 },
    { penalty_alpha: 0.3 },
    { num_beams: 2, compat: '4.25', max_length: 46 },
  ]) {
    const requests: ScoreRequest[] = [];
    const outcome = runToy(
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

test('processed log-probabilities are those of the processed scores, in every mode', () => {
  const shaping = { repetition_penalty: 1.5, suppress_tokens: [7], temperature: 0.6, top_k: 5, min_new_tokens: 2 };
  for (const mode of EVERY_MODE) {
    const { min_new_tokens: least, ...others } = shaping;
    const common = 'compat' in mode ? { ...others, min_length: TOY_PROMPT.length + least } : shaping;
    const asked = {
      output_scores: true,
      scores_format: { top: TOY_VOCABULARY },
      logprobs: 4,
      processed_logprobs: true,
    };
    const outcome = runToy({ ...common, max_new_tokens: 8, ...mode, ...asked });
    const shown = JSON.stringify(mode);
    let forbidden = 0;
    for (const [index, { logprobs, beamIndices }] of outcome.sequences.entries()) {
      for (const [step, report] of logprobs!.entries()) {
        // An EOS that only closes a beam search was not chosen from scores.
        if (report.top.length === 0) continue;
        // Each search of beam sampling under 4.25 counts its own beams.
        const base = 'num_return_sequences' in mode && 'compat' in mode ? 2 * index : 0;
        const row = outcome.scores![step]![base + (beamIndices?.[step] ?? index)]!;
        assert.ok(row.type === 'top');
        const scores = new Map(row.entries);
        const largest = Math.max(...scores.values());
        const sum = row.entries.reduce((total, [, score]) => total + Math.exp(score - largest), 0);
        for (const { token, processed } of [report, ...report.top]) {
          const score = scores.get(token) ?? Number.NEGATIVE_INFINITY;
          if (score === Number.NEGATIVE_INFINITY) {
            assert.equal(processed, null, shown);
            forbidden++;
          } else
            assert.ok(Math.abs(processed! - (score - largest - Math.log(sum))) < 1e-4, `token ${step} of ${shown}`);
        }
        assert.ok(report.processed !== null, `a drawn token is possible: ${shown}`);
      }
    }
    assert.ok(forbidden > 0, shown);
  }
  assert.ok(!('processed' in runToy({ logprobs: 1 }).sequences[0]!.logprobs![0]!));
});

test('a continuation has the log-probabilities that it has where it is generated', () => {
  const shaping = { no_repeat_ngram_size: 2, encoder_repetition_penalty: 1.3, min_new_tokens: 6, logprobs: 3 };
  const modes = [
    {},
    { do_sample: true, seed: 4, temperature: 0.7, top_k: 6, min_p: 0.02 },
    { guidance_scale: 1.7 },
    { dola_layers: 'low' },
  ];
  for (const mode of modes) {
    const params = { ...shaping, ...mode, processed_logprobs: true };
    const [generated] = runToy({ ...params, max_new_tokens: 40, eos_token_id: -1 }).sequences;
    const given = { continuation_ids: [...generated!.tokens] };
    const requests: ScoreRequest[] = [];
    const [scored] = runToy({ ...params, ...given, eos_token_id: -1 }, { requests }).sequences;
    assert.deepEqual(scored, generated);
    // Many positions in one request, but where every row has a counterpart.
    if (!('guidance_scale' in mode || 'dola_layers' in mode)) assert.ok(requests.length <= 4, `${requests.length}`);
  }
});

test('a continuation that the parameters forbid is scored as impossible, and ends where it would have ended', () => {
  const given = { continuation_ids: [5, 7, 4, TOY_EOS, 8], logprobs: 0, processed_logprobs: true };
  const [sequence] = runToy({ ...given, suppress_tokens: [7], max_new_tokens: 2 }).sequences;
  assert.deepEqual(sequence!.tokens, [5, 7, 4, TOY_EOS]);
  assert.equal(sequence!.finishReason, 'eos');
  assert.deepEqual(
    sequence!.logprobs!.map(({ processed }) => processed === null),
    [false, true, false, false],
  );
  assert.throws(() => runToy({ ...given, num_beams: 2 }), /continuation_ids: expected no value unless one sequence/);
  const long = Array.from({ length: 64 }, () => 3);
  assert.throws(() => runToy({ continuation_ids: long }), /continuation_ids: expected at most \d+ (?:ids|entries)/);
});

test('scores and logits are returned for every step and running row', () => {
  const outcome = runToy({
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
  const [logits] = toyScorer({ tokens: TOY_PROMPT, start: TOY_PROMPT.length - 1, hidden: false, layers: [] }).logits;
  assert.deepEqual(decode(outcome.logits![0]![0]), [...logits!]);
  assert.deepEqual(
    decode(outcome.scores![0]![0]),
    [...logits!].map((logit, id) => (id === 7 ? Number.NEGATIVE_INFINITY : logit)),
  );
  const top = runToy({
    output_scores: true,
    scores_format: { top: 2 },
    num_beams: 3,
    num_return_sequences: 3,
    max_new_tokens: 4,
  });
  const { tokens, beamIndices, score } = top.sequences[0]!;
  // Each token's score is found through the beam it continued, and they add up to the sequence's.
  const full = runToy({
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

test('max_new_tokens 0 with prompt_logprobs scores the prompt and generates nothing', () => {
  const requests: ScoreRequest[] = [];
  const scored = runToy({ max_new_tokens: 0, prompt_logprobs: 2 }, { requests });
  const generated = runToy({ max_new_tokens: 3, prompt_logprobs: 2 });
  assert.deepEqual(scored.sequences, [{ tokens: [], finishReason: 'length' }]);
  assert.deepEqual(scored.promptLogprobs, generated.promptLogprobs);
  assert.equal(scored.promptLogprobs?.length, TOY_PROMPT.length - 1);
  assert.equal(requests.length, 1);
  assert.throws(() => runToy({ max_new_tokens: 0 }), /max_new_tokens: expected an integer of at least 1/);
});

test('a prompt that fills the context can be scored but not continued', () => {
  const prompt = Array.from({ length: 64 }, (_, at) => at % 20);
  assert.equal(runToy({ max_new_tokens: 0, prompt_logprobs: 0 }, { prompt }).promptLogprobs?.length, 63);
  assert.throws(() => runToy({ max_new_tokens: 1, prompt_logprobs: 0 }, { prompt }), /at most 63 tokens/);
});

test('final tokens have the same log-probabilities as the outcome', () => {
  for (const params of [
    {},
    { do_sample: true, seed: 4, num_return_sequences: 2 },
    { penalty_alpha: 0.6, top_k: 4 },
    { prompt_lookup_num_tokens: 4 },
  ]) {
    const requests: ScoreRequest[] = [];
    const outcome = runToy({ ...params, max_new_tokens: 9, logprobs: 2, eos_token_id: -1 }, { requests });
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
