import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyLogitsProcessors, buildLogitsProcessors } from '../logits-processor-list.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
import { penaliseOccurrence } from './occurrence-penalty.ts';

test('a generated token loses the presence penalty once and the frequency penalty for each time', () => {
  const scores = Float32Array.of(1, 1, 1, 1);
  penaliseOccurrence(scores, [2, 0, 2, 2], 0.5, 0.25);
  assert.deepEqual([...scores], [0.25, 1, -0.25, 1]);
});

test('prompt tokens do not count, and negative penalties favour', () => {
  const prompt = [1, 1];
  const { config } = parseGenerateParameters(
    { presence_penalty: -0.5, frequency_penalty: 1 },
    { vocabSize: 4, contextLength: 16, eosTokenId: 3, promptLength: prompt.length },
  );
  const scores = Float32Array.of(0, 0, 0, 0);
  applyLogitsProcessors(buildLogitsProcessors(config, prompt, null), [{ scores, sequence: [...prompt, 2, 2] }]);
  assert.deepEqual([...scores], [0, 0, -1.5, 0]);
});
