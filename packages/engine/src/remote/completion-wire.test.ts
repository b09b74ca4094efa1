import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStreamPart } from './completion-wire.ts';
import { RemoteFailure } from './remote-failure.ts';
import { RemoteLoad } from './remote-load.ts';

const OPTIONS = { vocabSize: 100, topLogprobs: null };

function failureOf(data: string): RemoteFailure {
  try {
    parseStreamPart(data, OPTIONS);
  } catch (error) {
    assert.ok(error instanceof RemoteFailure, String(error));
    return error;
  }
  throw new Error('expected a failure, got none');
}

test('an error of any form within a stream is a failure of the server', () => {
  assert.match(failureOf('{"error":{"message":"EngineCore\\ndied"}}').message, /stream: EngineCore died$/);
  assert.match(failureOf('{"error":"gone"}').message, /stream: gone$/);
  for (const message of ['{"toString":1,"valueOf":1}', '{}', 'null', '7'])
    assert.equal(failureOf(`{"error":{"message":${message}}}`).kind, 'broken');
});

test('what a server sent is shown as one short line', () => {
  const long = 'x\n'.repeat(100_000);
  for (const data of [long, JSON.stringify({ choices: long })]) {
    const { message } = failureOf(data);
    assert.ok(message.length < 500 && !message.includes('\n'), message.slice(0, 600));
  }
});

test('gauges below zero count as none', () => {
  const load = new RemoteLoad(1000);
  const stats = load.stats(
    'vllm:num_requests_running -3\nvllm:num_requests_waiting{engine="0"} -1.0\nvllm:kv_cache_usage_perc -7\n',
  );
  assert.deepEqual([stats.active, stats.waiting, stats.freeCells], [0, 0, 1000]);
});
