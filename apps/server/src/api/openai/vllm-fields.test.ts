import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDirectApp, readData } from '../../testing/direct-app.ts';
import { createScriptedEngine } from '../../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../../testing/scripted-model.ts';
import type { Completion } from './completion-reply.ts';

function open() {
  const engine = createScriptedEngine(() => ({ sequences: [bytesOf('xyz')] }));
  const direct = createDirectApp({ engine, model: byteModel(engine) });
  return {
    engine,
    complete: (body: object) => direct.post('/v1/completions', { prompt: 'ab', max_tokens: 3, ...body }),
  };
}

test('return_token_ids adds the ids of prompt and output, whole and in parts', async () => {
  const { complete } = open();
  const { choices } = (await (await complete({ return_token_ids: true })).json()) as Completion;
  assert.deepEqual([choices[0]?.prompt_token_ids, choices[0]?.token_ids], [bytesOf('ab'), bytesOf('xyz')]);
  const parts = (await readData(await complete({ return_token_ids: true, stream: true }))).filter(
    (data) => data !== '[DONE]',
  );
  const streamed = parts.map((data) => (JSON.parse(data) as Completion).choices[0]);
  assert.deepEqual(streamed[0]?.prompt_token_ids, bytesOf('ab'));
  assert.ok(streamed.slice(1).every((choice) => choice?.prompt_token_ids === undefined));
  assert.deepEqual(
    streamed.flatMap((choice) => choice?.token_ids ?? []),
    bytesOf('xyz'),
  );
});

test('ignore_eos, stop_token_ids and min_tokens are the ends and the minimum of generate', async () => {
  const { complete, engine } = open();
  const [eos] = engine.info.config.eosTokenIds;
  for (const [fields, expected] of [
    [{ ignore_eos: true }, [-1]],
    [{ stop_token_ids: [10] }, [eos, 10]],
    [{ ignore_eos: true, stop_token_ids: [10, 13] }, [10, 13]],
  ] as const) {
    assert.equal((await complete({ ...fields, min_tokens: 2 })).status, 200);
    const { config } = engine.requests.at(-1)!;
    assert.deepEqual(config.eosTokenIds, expected);
    assert.equal(config.minLength, 4);
  }
});

test('what is set under two names, and ids that are none, are refused by name', async () => {
  const { complete } = open();
  for (const [fields, message] of [
    [{ min_tokens: 2, min_new_tokens: 2 }, /min_new_tokens: expected it, or vLLM's fields/],
    [{ ignore_eos: true, eos_token_id: 5 }, /eos_token_id: expected it, or vLLM's fields/],
    [{ stop_token_ids: 7 }, /stop_token_ids: expected an array of token ids, got 7/],
    [{ stop_token_ids: ['x'] }, /eos_token_id/],
  ] as const) {
    const reply = await complete(fields);
    assert.equal(reply.status, 400);
    assert.match(await reply.text(), message);
  }
});
