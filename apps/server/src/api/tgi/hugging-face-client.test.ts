// The official JavaScript client of Hugging Face against a listening server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { InferenceClient, InferenceClientProviderApiError } from '@huggingface/inference';
import { type Listener, listen } from '../../http/listen.ts';
import { createDirectApp, type DirectApp } from '../../testing/direct-app.ts';
import { createScriptedEngine } from '../../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../../testing/scripted-model.ts';

let direct: DirectApp;
let listener: Listener;
let client: InferenceClient;
before(async () => {
  const engine = createScriptedEngine(() => ({ sequences: [bytesOf('xyz')] }));
  direct = createDirectApp({ engine, model: byteModel(engine) });
  listener = await listen((request) => direct.app.fetch(request), { host: '127.0.0.1', port: 0 });
  client = new InferenceClient('token-0123456789');
});
after(() => listener.close());

const parameters = { max_new_tokens: 3, do_sample: true, temperature: 0.5, return_full_text: false };
/** Every way to name this server to the client. */
const WAYS: readonly (readonly [name: string, arguments_: () => object])[] = [
  ['endpointUrl', () => ({ endpointUrl: listener.url })],
  ['endpointUrl with a model', () => ({ endpointUrl: listener.url, model: 'tgi' })],
  ['endpointUrl of a model', () => ({ endpointUrl: `${listener.url}/models/EleutherAI/gpt-j-6b` })],
  ['endpointUrl with a path', () => ({ endpointUrl: `${listener.url}/v1` })],
];

for (const [name, way] of WAYS) {
  test(`textGeneration returns the text, by ${name}`, async () => {
    const reply = await client.textGeneration({ ...way(), inputs: 'Once', parameters });
    assert.equal(reply.generated_text, 'xyz');
  });

  test(`textGenerationStream yields the text in parts, by ${name}`, async () => {
    let text = '';
    for await (const event of client.textGenerationStream({ ...way(), inputs: 'Once', parameters })) {
      text += readText(event);
    }
    assert.equal(text, 'xyz');
  });
}

test('endpoint().textGeneration and textGenerationStream work with an address alone', async () => {
  const endpoint = client.endpoint(listener.url);
  assert.equal((await endpoint.textGeneration({ inputs: 'Once', parameters })).generated_text, 'xyz');
  let text = '';
  for await (const event of endpoint.textGenerationStream({ inputs: 'Once', parameters })) text += readText(event);
  assert.equal(text, 'xyz');
});

test('chatCompletion fails with what to use instead', async () => {
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  for (const path of ['', '/models/EleutherAI/gpt-j-6b']) {
    await assert.rejects(client.chatCompletion({ endpointUrl: `${listener.url}${path}`, messages }), (error) => {
      assert.ok(error instanceof InferenceClientProviderApiError);
      assert.match(JSON.stringify(error.httpResponse.body), /GPT-J .*not trained to chat.*POST \/v1\/completions/);
      return true;
    });
  }
});

/** The text of an event, whether the client passes on events of completions or of text-generation-inference. */
function readText(event: object): string {
  const token: unknown = Reflect.get(event, 'token');
  if (typeof token === 'object' && token !== null) return String(Reflect.get(token, 'text'));
  const choices: unknown = Reflect.get(event, 'choices');
  return Array.isArray(choices) ? String(choices[0]?.text ?? '') : '';
}
