import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationEvent } from '@gptj-cloud/engine';
import { createRunWatch } from './run-watch.ts';

const TOKENS: GenerationEvent = { type: 'tokens', index: 0, tokens: [1] };

test('counts from the acceptance to the first evaluation and the first token, the wait for a slot included', () => {
  let ms = 1_000;
  const watch = createRunWatch(500, () => ms);
  watch.begin();
  assert.equal(watch.waits, null);
  ms += 20;
  watch.record({ type: 'started' });
  ms += 30;
  watch.record(TOKENS);
  ms += 40;
  watch.record(TOKENS);
  assert.deepEqual(watch.waits, { queuedMs: 520, firstTokenMs: 550 });
});

test('takes the times of the engine where events came late', () => {
  let ms = 0;
  const watch = createRunWatch(10, () => ms);
  watch.begin();
  ms += 90;
  watch.record({ type: 'started' });
  watch.record({ ...TOKENS, atMs: 7 });
  watch.record({
    type: 'finished',
    outcome: { sequences: [] },
    usage: { promptTokens: 1, generatedTokens: 1, computedTokens: 2, cachedTokens: 0, queueMs: 4, computeMs: 80 },
  });
  assert.deepEqual(watch.waits, { queuedMs: 14, firstTokenMs: 17 });
});

test('forgets an attempt that failed, but not its time', () => {
  let ms = 0;
  const watch = createRunWatch(0, () => ms);
  watch.begin();
  ms = 5;
  watch.record(TOKENS);
  ms = 100;
  watch.begin();
  assert.equal(watch.waits, null);
  ms = 130;
  watch.record({ type: 'started' });
  assert.deepEqual(watch.waits, { queuedMs: 130, firstTokenMs: null });
});
