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
