// The official client against a listening server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai';
import { type Listener, listen } from '../../http/listen.ts';
import { createDirectApp, type DirectApp, type DirectAppOptions } from '../../testing/direct-app.ts';
import { createScriptedEngine, type ScriptedEngine } from '../../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../../testing/scripted-model.ts';
import { openTinyModel, type TinyModel } from '../../testing/tiny-model.ts';
import { until } from '../../testing/until.ts';

let tiny: TinyModel;
let direct: DirectApp;
let listener: Listener;
let client: OpenAI;
before(async () => {
  tiny = await openTinyModel();
  direct = createDirectApp(tiny);
  listener = await serve(direct);
  client = clientOf(listener);
});
after(async () => {
  await listener.close();
  await tiny.close();
});

const serve = ({ app }: DirectApp) => listen((request) => app.fetch(request), { host: '127.0.0.1', port: 0 });
const clientOf = ({ url }: Listener) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'token-0123456789', maxRetries: 0 });

/** A server whose engine follows a script, for as long as `use` runs. */
async function withScripted(
  engine: ScriptedEngine,
  use: (client: OpenAI, direct: DirectApp) => Promise<void>,
  options: Pick<DirectAppOptions, 'admit' | 'headerDelayMs'> = {},
): Promise<void> {
  const scripted = createDirectApp({ engine, model: byteModel(engine), ...options });
  const own = await serve(scripted);
  try {
    await use(clientOf(own), scripted);
  } finally {
    await own.close();
  }
}

test('completions.create returns text, choices, log-probabilities and usage', async () => {
  const model = tiny.model.info.modelName;
  const reply = await client.completions.create({
    model,
    prompt: ['ab', 'cd'],
    max_tokens: 5,
    n: 2,
    logprobs: 3,
    seed: 1,
  });
  assert.equal(reply.object, 'text_completion');
  assert.equal(reply.model, model);
  assert.deepEqual(
    reply.choices.map(({ index }) => index),
    [0, 1, 2, 3],
  );
  for (const { logprobs } of reply.choices) {
    assert.equal(logprobs?.tokens?.length, logprobs?.token_logprobs?.length);
    assert.ok((logprobs?.tokens?.length ?? 0) > 0);
  }
  assert.equal(reply.usage?.prompt_tokens, 2);
  assert.ok((reply.usage?.completion_tokens ?? 0) > 4);
});

test('streams the same text in parts, and the usage last', async () => {
  const body = { model: 'gpt-j-6b', prompt: 'abc', max_tokens: 20, temperature: 0 } as const;
  const whole = await client.completions.create(body);
  const stream = await client.completions.create({ ...body, stream: true, stream_options: { include_usage: true } });
  let text = '';
  const finishes: unknown[] = [];
  let usage: unknown = null;
  for await (const { choices, usage: counted } of stream) {
    text += choices[0]?.text ?? '';
    if (choices[0]?.finish_reason) finishes.push(choices[0].finish_reason);
    usage = counted ?? usage;
  }
  assert.equal(text, whole.choices[0]?.text);
  assert.deepEqual(finishes, [whole.choices[0]?.finish_reason]);
  assert.deepEqual(usage, whole.usage);
});

test('echo with token ids and max_tokens 0 scores a prompt', async () => {
  const reply = await client.completions.create({
    model: 'gpt-j-6b',
    prompt: [[97, 98, 99], [100]],
    max_tokens: 0,
    echo: true,
    logprobs: 1,
  });
  assert.deepEqual(
    reply.choices.map(({ text, logprobs }) => [text, logprobs?.token_logprobs?.length]),
    [
      ['abc', 3],
      ['d', 1],
    ],
  );
});

test('models.list and models.retrieve return the model under every name', async () => {
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  assert.ok(ids.includes('EleutherAI/gpt-j-6b'));
  assert.equal((await client.models.retrieve('EleutherAI/gpt-j-6b')).id, 'EleutherAI/gpt-j-6b');
  await assert.rejects(client.models.retrieve('gpt-4'), NotFoundError);
});

test('refusals become the typed errors of the client', async () => {
  await assert.rejects(
    client.completions.create({ model: 'gpt-j-6b', prompt: 'a', suffix: 'b' }),
    (error) => error instanceof BadRequestError && error.param === 'suffix' && error.type === 'invalid_request_error',
  );
  await assert.rejects(
    client.completions.create({ model: 'gpt-4', prompt: 'a' }),
    (error) => error instanceof NotFoundError && error.code === 'model_not_found',
  );
  const engine = createScriptedEngine(() => ({ sequences: [[120]] }));
  const refuseWith = (refusal: ApiError, kind: new (...args: never[]) => Error) =>
    withScripted(
      engine,
      (own) => assert.rejects(own.completions.create({ model: 'scripted', prompt: 'a', stream: true }), kind),
      { admit: () => Promise.reject(refusal) },
    );
  await refuseWith(new ApiError('rate_limited', {}, { retryAfterSeconds: 3 }), RateLimitError);
  await refuseWith(new ApiError('token_unknown'), AuthenticationError);
});

test('chat, responses and embeddings fail with what to use instead', async () => {
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  const asked = [
    () => client.chat.completions.create({ model: 'gpt-j-6b', messages }),
    () => client.chat.completions.create({ model: 'gpt-j-6b', messages, stream: true }),
    () => client.responses.create({ model: 'gpt-j-6b', input: 'Hello' }),
    () => client.embeddings.create({ model: 'gpt-j-6b', input: 'Hello' }),
    () => client.moderations.create({ input: 'Hello' }),
  ];
  for (const ask of asked) {
    await assert.rejects(
      ask(),
      (error) =>
        error instanceof NotFoundError &&
        error.code === 'address_not_offered' &&
        /GPT-J .*POST \/v1\/completions/.test(error.message),
    );
  }
});

test('the stream throws a failure in its middle', async () => {
  const engine = createScriptedEngine(() => ({
    sequences: [bytesOf('xyz')],
    failure: { after: 2, error: new Error('unforeseen') },
  }));
  await withScripted(engine, async (own, { logLines }) => {
    const stream = await own.completions.create({ model: 'scripted', prompt: 'a', stream: true });
    let text = '';
    await assert.rejects(
      (async () => {
        for await (const { choices } of stream) text += choices[0]?.text ?? '';
      })(),
      (error) => error instanceof APIError && error.code === 'internal',
    );
    assert.equal(text, 'xy');
    assert.ok(logLines.some((line) => line.includes('unforeseen')));
  });
});

test('ends the generation when the client leaves a stream or stops waiting', async () => {
  const never = new Promise<void>(() => {});
  const ways = [
    { stream: true, headerDelayMs: 30_000 },
    { stream: false, headerDelayMs: 30_000 },
    // The head of the reply has been sent.
    { stream: false, headerDelayMs: 0 },
  ];
  for (const { stream, headerDelayMs } of ways) {
    let ended = (): void => {};
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    let began = (): void => {};
    const beginning = new Promise<void>((resolve) => {
      began = resolve;
    });
    const scripted = createScriptedEngine(() => ({
      sequences: [bytesOf('xyz')],
      pause: (token) => {
        if (token === 1) began();
        return token === 1 ? never : null;
      },
    }));
    const engine: ScriptedEngine = {
      ...scripted,
      async *generate(request, signal) {
        try {
          yield* scripted.generate(request, signal);
        } finally {
          ended();
        }
      },
    };
    const use = async (own: OpenAI, { admission }: DirectApp): Promise<void> => {
      const leave = new AbortController();
      const request = own.completions.create({ model: 'scripted', prompt: 'ab', stream }, { signal: leave.signal });
      request.catch(() => {});
      await beginning;
      leave.abort();
      await end;
      assert.equal(scripted.running, 0);
      await until(() => admission.settled.length > 0);
      assert.deepEqual(
        admission.settled.map(({ promptTokens, generatedTokens }) => [promptTokens, generatedTokens]),
        [[2, 1]],
      );
    };
    await withScripted(engine, use, { headerDelayMs });
  }
});
