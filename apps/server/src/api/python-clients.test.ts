/**
 * Requests of the Python packages, with the fields of each reply that they read: openai 3.3.1 (`resources/completions.py`) and
 * huggingface_hub 1.29 (`inference/_client.py`), written from their sources, and openai 0.26, written from knowledge of its
 * `Completion.create` and not compared with its source. The packages themselves are not run.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Listener, listen } from '../http/listen.ts';
import { createDirectApp } from '../testing/direct-app.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../testing/scripted-model.ts';

let listener: Listener;
before(async () => {
  const engine = createScriptedEngine(() => ({ sequences: [bytesOf('xyz')] }));
  const { app } = createDirectApp({ engine, model: byteModel(engine) });
  listener = await listen((request) => app.fetch(request), { host: '127.0.0.1', port: 0 });
});
after(() => listener.close());

const send = (path: string, body: object, headers: Record<string, string>) =>
  fetch(`${listener.url}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer token-0123456789', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const OPENAI = {
  accept: 'application/json',
  'user-agent': 'OpenAI/Python 3.3.1',
  'x-stainless-lang': 'python',
  'x-stainless-package-version': '3.3.1',
  'x-stainless-retry-count': '0',
};
const HUB = { accept: '*/*', 'user-agent': 'unknown/None; hf_hub/1.29.0; python/3.12.3' };

/** The data of the events of a stream, as both packages read it. */
async function dataOf(reply: Response): Promise<readonly string[]> {
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/);
  return (await reply.text()).split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trim()] : []));
}

test('openai.completions.create reads choices and usage, and events up to [DONE]', async () => {
  const body = { model: 'gpt-j-6b', prompt: 'Once', max_tokens: 3, temperature: 0.7, logprobs: 1, user: 'u' };
  const reply = await send('/v1/completions', body, OPENAI);
  const completion = (await reply.json()) as {
    id: string;
    object: string;
    created: number;
    model: string;
    choices: readonly { index: number; text: string; finish_reason: string; logprobs: { tokens: string[] } }[];
    usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
  };
  assert.equal(completion.object, 'text_completion');
  assert.ok(completion.id.startsWith('cmpl-') && completion.created > 0 && completion.model !== '');
  assert.deepEqual([completion.choices[0]?.index, completion.choices[0]?.text], [0, 'xyz']);
  assert.deepEqual(completion.choices[0]?.logprobs.tokens.join(''), 'xyz');
  assert.deepEqual([completion.usage.prompt_tokens, completion.usage.completion_tokens], [4, 3]);
  const streamed = { ...body, logprobs: undefined, stream: true, stream_options: { include_usage: true } };
  const events = await dataOf(await send('/v1/completions', streamed, OPENAI));
  assert.equal(events.at(-1), '[DONE]');
  const texts = events.slice(0, -1).map((event) => JSON.parse(event).choices[0]?.text ?? '');
  assert.equal(texts.join(''), 'xyz');
});

test('openai.Completion.create of 2022 reads the text at the address of the engine', async () => {
  const headers = { 'user-agent': 'OpenAI/v1 PythonBindings/0.26.0', 'x-openai-client-user-agent': '{}' };
  const reply = await send(
    '/v1/engines/gpt-j-6b/completions',
    { prompt: 'Once', max_tokens: 3, stream: false },
    headers,
  );
  const { choices } = (await reply.json()) as { choices: readonly { text: string }[] };
  assert.equal(choices[0]?.text, 'xyz');
});

test('InferenceClient.text_generation reads text, details and events, by the URL of the server or of a model', async () => {
  for (const path of ['/', '/models/EleutherAI/gpt-j-6b']) {
    const parameters = { details: false, do_sample: true, max_new_tokens: 3, return_full_text: false, stop: ['\n'] };
    const plain = await (await send(path, { inputs: 'Once', parameters, stream: false }, HUB)).json();
    const output = Array.isArray(plain) ? plain[0] : plain;
    assert.equal(output.generated_text, 'xyz', path);
    const detailed = await send(path, { inputs: 'Once', parameters: { ...parameters, details: true } }, HUB);
    const list = (await detailed.json()) as readonly {
      details: {
        finish_reason: string;
        generated_tokens: number;
        tokens: readonly { text: string; special: boolean }[];
      };
    }[];
    assert.equal(list[0]?.details.generated_tokens, 3);
    assert.equal(list[0]?.details.tokens.map(({ text }) => text).join(''), 'xyz');
    const stream = { inputs: 'Once', parameters: { ...parameters, details: true }, stream: true };
    const events = (await dataOf(await send(path, stream, HUB))).map((data) => JSON.parse(data));
    assert.equal(events.map(({ token }) => (token.special ? '' : token.text)).join(''), 'xyz');
    assert.equal(events.at(-1).generated_text, 'xyz');
    assert.equal(events.at(-1).details.generated_tokens, 3);
  }
});

test('InferenceClient.chat_completion gets the reason in the body that its error shows', async () => {
  const body = { model: 'dummy', messages: [{ role: 'user', content: 'Hello' }], stream: false };
  const reply = await send('/v1/chat/completions', body, HUB);
  assert.equal(reply.status, 404);
  assert.match(await reply.text(), /GPT-J .*POST \/v1\/completions/);
});
