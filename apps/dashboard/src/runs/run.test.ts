import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviceFor } from './run-failure.ts';
import { compareResults, resultOf } from './run-result.ts';
import { stepsOf } from './run-steps.ts';

test('reads texts alone, and a dict with tokens and scores', () => {
  assert.deepEqual(resultOf({ resultPreview: [['a', 'b']] }), {
    texts: ['a', 'b'],
    scores: null,
    ids: null,
    tokens: null,
  });
  const logprobs = [[{ token: 1, text: ' a', logprob: -0.5, top: [[1, -0.5, ' a'] as const] }]];
  const ends = { finish_reasons: ['eos'], sequences_scores: [-0.5] } as const;
  const dict = { texts: [' a'] as const, sequences: [[1]], ...ends, logprobs };
  const result = resultOf({ resultPreview: [dict] });
  assert.deepEqual([result?.scores, result?.ids, result?.tokens?.[0]?.[0]?.top.length], [[-0.5], [[1]], 1]);
  assert.equal(resultOf({ resultPreview: null }), null);
});

test('a replay is compared by token ids where both have them, else by letters', () => {
  const withIds = (...ids: number[]) => ({ texts: ['x'], scores: null, ids: [ids], tokens: null });
  const withText = (text: string) => ({ texts: [text], scores: null, ids: null, tokens: null });
  assert.deepEqual(compareResults(withIds(1, 2), withIds(1, 2)), { isSame: true, of: 'token ids', count: 2 });
  assert.deepEqual(compareResults(withIds(1, 2), withIds(1, 3)), { isSame: false, of: 'token', at: 1 });
  assert.deepEqual(compareResults(withIds(1, 2), withIds(1)), { isSame: false, of: 'token', at: 1 });
  assert.deepEqual(compareResults(withIds(1), withText('🦊x')), { isSame: false, of: 'letter', at: 0 });
  assert.deepEqual(compareResults(withText('🦊x'), withText('🦊y')), { isSame: false, of: 'letter', at: 1 });
  assert.equal(compareResults(null, withText('x')), null);
});

test('a failure is explained by the code that its exception begins with, else by its error', () => {
  assert.equal(adviceFor('unsatisfiable', 'generation_timed_out: after 1 s').step, 'plan');
  assert.equal(adviceFor('unsatisfiable', 'no room').step, 'playground');
  assert.match(adviceFor('pipeline_fault', 'the run was cancelled').meaning, /ended on request/);
  assert.match(adviceFor('pipeline_fault', 'unheard: of').meaning, /could not execute/);
});

test('the course of a run has the steps that it came to', () => {
  const run = {
    createdAt: new Date(1_000),
    startedAt: new Date(1_000),
    endedAt: new Date(1_630),
    timings: { queuedMs: 4, firstTokenMs: 110, computeMs: 600 },
    runState: 'complete' as const,
    errorInfo: null,
    usage: { promptTokens: 4, generatedTokens: 12, computedTokens: 16, cachedTokens: 0 },
  };
  const brief = (fields: object) =>
    stepsOf({ ...run, ...fields }, new Date(3_000)).map(({ name, at }) => `${name} ${at}`);
  assert.deepEqual(brief({}), ['accepted 0', 'running 4', 'first token 110', 'complete 630']);
  const waits = { queuedMs: null, firstTokenMs: null, computeMs: null };
  assert.deepEqual(brief({ startedAt: null, endedAt: null, timings: waits }), ['accepted 0', 'now 2000']);
  assert.deepEqual(brief({ timings: waits, runState: 'failed' }), ['accepted 0', 'running 0', 'failed 630']);
  const errorInfo = { exception: 'the run was cancelled' };
  assert.deepEqual(brief({ timings: waits, runState: 'failed', errorInfo }), [
    'accepted 0',
    'running 0',
    'cancelled 630',
  ]);
});
