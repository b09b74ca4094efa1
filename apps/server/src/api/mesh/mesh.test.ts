import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import { createDirectApp } from '../../testing/direct-app.ts';
import { createScriptedEngine, type Script } from '../../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../../testing/scripted-model.ts';

function open(script: Script = { sequences: [bytesOf(' world')] }) {
  const engine = createScriptedEngine(() => script);
  const { post } = createDirectApp({ engine, model: byteModel(engine) });
  return { engine, complete: (body: unknown) => post('/complete', body) };
}

test("answers the demo's request with a completion", async () => {
  const { complete, engine } = open();
  const reply = await complete({ context: 'eleutherai', top_p: 0.9, temp: 0.75 });
  assert.deepEqual([reply.status, await reply.json()], [200, { completion: ' world' }]);
  const { config, prompt } = engine.requests[0]!;
  assert.deepEqual(prompt, bytesOf('eleutherai'));
  assert.deepEqual([config.mode, config.topP, config.temperature, config.topK], ['sample', 0.9, 0.75, 0]);
  assert.equal(config.filterBeforeTemperature, true);
  assert.equal(config.maxLength, 10 + 512);
});

test('the length is response_length, or 512 reduced to the free context', async () => {
  const { complete, engine } = open();
  await complete({ context: 'x'.repeat(2000), top_p: 1, temp: 1 });
  await complete({ context: 'x', response_length: 3, top_k: 40, seed: 7 });
  assert.equal(engine.requests[0]!.config.maxLength, 2048);
  const { config } = engine.requests[1]!;
  assert.deepEqual([config.maxLength, config.topK, config.seed], [4, 40, 7]);
});

test('accepts numbers as strings, in the forms that float() of Python reads', async () => {
  const { complete, engine } = open();
  for (const [topP, temp, expected] of [
    ['0.9', '0.75', [0.9, 0.75]],
    [' .5 ', '1e-1', [0.5, 0.1]],
    ['1.', '+1_0', [1, 10]],
  ] as const) {
    assert.equal((await complete({ context: 'eleutherai', top_p: topP, temp })).status, 200);
    const { config } = engine.requests.at(-1)!;
    assert.deepEqual([config.topP, config.temperature], expected);
  }
  await complete({ context: 'a', response_length: '3', top_k: '4', seed: '5' });
  const { config } = engine.requests.at(-1)!;
  assert.deepEqual([config.maxLength, config.topK, config.seed], [4, 4, 5]);
  for (const text of ['', 'x', '1,5', 'nan', 'inf', '0x1', '1__0', '_1', '1e', '2', `0.${'1'.repeat(200)}`]) {
    assert.equal((await complete({ context: 'a', top_p: text })).status, 400, text);
  }
});

test('errors have a status and a message in error', async () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ top_p: 1, temp: 1 }, /^context: expected a non-empty string/],
    [{ context: 'a', top_p: 2 }, /^top_p: expected a number from 0 to 1/],
    [{ context: 'a', temp: 0 }, /^temp: expected a number above 0/],
    [{ context: 'a', response_length: 4000 }, /^response_length: .*at most 2047 new tokens/],
    [{ context: 'a', length: 4 }, /^length: unknown/],
  ];
  for (const [body, message] of cases) {
    const reply = await open().complete(body);
    assert.equal(reply.status, 400);
    assert.match(((await reply.json()) as { error: string }).error, message);
  }
  const failing = open({
    sequences: [[120]],
    failure: { after: 0, error: new ModelError('engine_failed', 'ended') },
  });
  assert.equal((await failing.complete({ context: 'a' })).status, 503);
});
