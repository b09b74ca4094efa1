import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDirectApp } from '../../testing/direct-app.ts';
import { createScriptedEngine } from '../../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../../testing/scripted-model.ts';

test('completes at the address that huggingface.js derives from a model URL, and names an unknown model', async () => {
  const engine = createScriptedEngine(() => ({ sequences: [bytesOf('xyz')] }));
  const { post } = createDirectApp({ engine, model: byteModel(engine) });
  for (const name of ['scripted', 'gpt-j-6b', 'EleutherAI/gpt-j-6b']) {
    const address = `/models/${name}/v1/completions`;
    const reply = await post(address, { model: `http://127.0.0.1/models/${name}`, prompt: 'ab', max_tokens: 3 });
    assert.equal(reply.status, 200, address);
    assert.match(await reply.text(), /"text":"xyz"/);
  }
  const unknown = await post('/models/other/v1/completions', { prompt: 'ab' });
  assert.equal(unknown.status, 404);
  assert.match(await unknown.text(), /"code":"model_not_found"/);
});

test('completes at the address of 2022, which names the model, and lists models there', async () => {
  const engine = createScriptedEngine(() => ({ sequences: [bytesOf('xyz')] }));
  const { get, post } = createDirectApp({ engine, model: byteModel(engine) });
  for (const name of ['scripted', 'gpt-j-6b', 'EleutherAI/gpt-j-6b']) {
    const reply = await post(`/v1/engines/${name}/completions`, { prompt: 'ab', max_tokens: 3 });
    assert.equal(reply.status, 200, name);
    assert.match(await reply.text(), /"object":"text_completion".*"text":"xyz"/);
    const engineReply = await get(`/v1/engines/${name}`);
    assert.deepEqual(await engineReply.json(), { id: name, object: 'engine', owner: 'gptj-cloud', ready: true });
  }
  const { data } = (await (await get('/v1/engines')).json()) as { data: readonly { id: string }[] };
  assert.deepEqual(
    data.map(({ id }) => id),
    ['scripted', 'EleutherAI/gpt-j-6b', 'gpt-j-6b'],
  );
  for (const reply of [
    await post('/v1/engines/davinci/completions', { prompt: 'a' }),
    await get('/v1/engines/davinci'),
  ]) {
    assert.equal(reply.status, 404);
    assert.match(await reply.text(), /"code":"model_not_found"/);
  }
});
