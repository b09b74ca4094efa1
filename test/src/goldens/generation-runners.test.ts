import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDecode } from './decode.ts';
import { runErrors } from './errors.ts';
import { toFields } from './golden-json.ts';
import { runProcessors } from './processors.ts';
import { lcgNoise, toyModel } from './toy-model.ts';

const MODEL = {
  type: 'hash',
  vocab: 6,
  seed: 12345,
  k: 0,
  shift: 12,
  bias: [[2, 3]],
  hidden_k: 2,
  hidden_dim: 3,
  num_layers: 2,
};

test('the toy model gives its published check values', () => {
  const { score } = toyModel(toFields(MODEL, 'model'));
  const { logits, hidden, layers } = score({ tokens: [3, 1, 4], start: 2, hidden: true, layers: [0, 1] });
  assert.deepEqual(
    [...logits[0]!],
    [-3.483642578125, -6.37451171875, -3.2177734375, 0.035888671875, 0.936279296875, 2.1640625],
  );
  assert.deepEqual([...hidden[0]!], [2.016357421875, -4.730224609375, 4.718505859375]);
  assert.deepEqual([...layers[0]![0]!].slice(0, 3), [1.266845703125, 3.34423828125, 6.9990234375]);
  assert.deepEqual([...layers[1]![0]!].slice(0, 3), [-6.3271484375, -5.52685546875, 6.453369140625]);
});

test('the noise streams give their published check values', () => {
  const take = (index: number) => {
    const stream = lcgNoise(99).stream(index);
    return [stream.next(), stream.next(), stream.next()];
  };
  assert.deepEqual(take(0), [0.35732832842040807, 0.1717381764901802, 0.7240965139353648]);
  assert.deepEqual(take(1), [0.8829508296912536, 0.9656660306500271, 0.48554193309973925]);
});

const passed = (results: Iterable<{ readonly passed: boolean }>) => [...results].map((result) => result.passed);

test('a processor case fails on one wrong score, beyond the tolerance only', () => {
  const one = (expected: readonly unknown[]) => ({
    name: 'case',
    era: '5.18',
    prompt_len: 1,
    input_ids: [0, 1],
    scores: [1, 2, null],
    params: { repetition_penalty: 2 },
    num_beams: 1,
    expected,
    tolerance: 1e-3,
  });
  const cases = [
    one([0.5, 1, null]),
    one([0.5, 1.0005, null]),
    one([0.5, 1.01, null]),
    one([0.5, 1, -50]),
    one([0.5, 1]),
  ];
  assert.deepEqual(passed(runProcessors(JSON.stringify({ format: 'processors/1', cases }))), [
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('a decoding case fails on a wrong token, a wrong score and an error', () => {
  const one = (params: object, expected: object) => ({
    name: 'case',
    era: '5.18',
    vocab: 6,
    eos: 2,
    pad: null,
    prompt: [3, 1, 4],
    params,
    model: MODEL,
    expected,
  });
  const greedy = { max_new_tokens: 1 };
  const beams = { max_new_tokens: 1, num_beams: 2 };
  const cases = [
    one(greedy, { sequences: [[3, 1, 4, 5]] }),
    one(greedy, { sequences: [[3, 1, 4, 4]] }),
    one(beams, { sequences: [[3, 1, 4, 5]], sequences_scores: [-0.35088] }),
    one(beams, { sequences: [[3, 1, 4, 5]], sequences_scores: [-0.3] }),
    one({ foo: 1 }, { sequences: [[3, 1, 4, 5]] }),
  ];
  assert.deepEqual(passed(runDecode(JSON.stringify({ format: 'decode/1', cases }))), [true, false, true, false, false]);
});

test('an error case fails on acceptance, refusal and a message about something else', () => {
  const common = { vocab: 6, eos: 2, pad: null, prompt: [3, 1, 4], model: MODEL };
  const one = (params: object, outcome: string, more: object = {}) => ({
    name: 'case',
    era: '5.18',
    mode: 'greedy',
    params: { max_new_tokens: 2, ...params },
    outcome,
    ...more,
  });
  const cases = [
    one({ top_p: 'x' }, 'error', { message_contains: 'top_p' }),
    one({ top_p: 'x' }, 'error', { message_contains: 'top_k' }),
    one({}, 'error', { message_contains: 'top_p' }),
    one({}, 'ok'),
    one({ foo: 1 }, 'ok'),
    one({ top_p: 0.5 }, 'ignored', { same_as_without: ['top_p'] }),
    one({ suppress_tokens: [5] }, 'ignored', { same_as_without: ['suppress_tokens'] }),
  ];
  assert.deepEqual(passed(runErrors(JSON.stringify({ format: 'errors/1', common, cases }))), [
    true,
    false,
    false,
    true,
    false,
    true,
    false,
  ]);
});

test('files of another format are refused', () => {
  for (const run of [runProcessors, runDecode, runErrors]) {
    assert.throws(() => [...run('{"format": "other/1", "cases": []}')], /expected format/);
    assert.throws(() => [...run('[]')], /an object/);
  }
});
