import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B, ModelError } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';
import { createDirectApp, readData } from '../../testing/direct-app.ts';
import { createScriptedEngine, type Script } from '../../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../../testing/scripted-model.ts';
import type { Completion } from './completion-reply.ts';

function open(script: Script = { sequences: [bytesOf('xyz')] }) {
  const engine = createScriptedEngine(() => script);
  const direct = createDirectApp({ engine, model: byteModel(engine) });
  const complete = (body: Readonly<Record<string, unknown>>) => direct.post('/v1/completions', body);
  return { ...direct, engine, complete };
}

async function completion(reply: Response): Promise<Completion> {
  assert.equal(reply.status, 200, await reply.clone().text());
  const body = await reply.json();
  return body as Completion;
}

async function refusal(body: Readonly<Record<string, unknown>>) {
  const { complete, engine } = open();
  const reply = await complete({ prompt: 'a', ...body });
  assert.equal(engine.requests.length, 0);
  const { error } = (await reply.json()) as {
    error: { message: string; param: string | null; code: string; type: string };
  };
  return { status: reply.status, ...error };
}

test('returns the object that OpenAI clients read', async () => {
  const { complete, engine } = open();
  const { id, ...rest } = await completion(await complete({ model: 'scripted', prompt: 'ab', max_tokens: 3 }));
  assert.match(id, /^cmpl-[0-9a-f]{32}$/);
  assert.deepEqual(rest, {
    object: 'text_completion',
    created: 1767323045,
    model: 'scripted',
    choices: [{ text: 'xyz', logprobs: null, finish_reason: 'length', index: 0 }],
    usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
  });
  const { config, prompt } = engine.requests[0]!;
  assert.deepEqual(prompt, bytesOf('ab'));
  assert.deepEqual([config.mode, config.maxLength, config.topK, config.temperature], ['sample', 5, 0, 1]);
});

test('generates 16 tokens by default; temperature 0 is greedy, its n choices copies of one', async () => {
  const { complete, engine } = open();
  const { choices, usage } = await completion(await complete({ prompt: 'ab', temperature: 0, n: 3 }));
  assert.deepEqual(
    choices.map(({ index, text }) => [index, text]),
    [
      [0, 'xyz'],
      [1, 'xyz'],
      [2, 'xyz'],
    ],
  );
  assert.equal(usage?.completion_tokens, 3);
  const { config } = engine.requests[0]!;
  assert.deepEqual([config.mode, config.maxLength, config.numReturnSequences], ['greedy', 18, 1]);
});

test('accepts a string, strings, token ids or arrays of them as prompt; choices keep their order', async () => {
  const forms: readonly (readonly [unknown, readonly (readonly number[])[]])[] = [
    ['hi', [bytesOf('hi')]],
    [
      ['hi', 'b'],
      [bytesOf('hi'), bytesOf('b')],
    ],
    [[104, 105], [bytesOf('hi')]],
    [
      [[104], [105, 105]],
      [[104], [105, 105]],
    ],
    ['', [[GPTJ_6B.eosTokenId]]],
    [undefined, [[GPTJ_6B.eosTokenId]]],
  ];
  for (const [prompt, ids] of forms) {
    const { complete, engine } = open({ sequences: [bytesOf('x'), bytesOf('y')] });
    const { choices } = await completion(await complete({ prompt, n: 2 }));
    assert.deepEqual(
      engine.requests.map((request) => request.prompt),
      ids,
    );
    assert.deepEqual(
      choices.map(({ index, text }) => `${index}${text}`),
      ids.flatMap((_, at) => [`${2 * at}x`, `${2 * at + 1}y`]),
    );
  }
});

test('best_of returns the sequences most likely per token and counts all generated tokens', async () => {
  // The scripted log-probability of a token is -id/100: small ids are likely.
  const { complete, engine } = open({ sequences: [bytesOf('zz'), bytesOf('a'), bytesOf('bbb')] });
  const { choices, usage } = await completion(await complete({ prompt: 'p', best_of: 3, n: 2 }));
  assert.deepEqual(
    choices.map(({ text, logprobs }) => [text, logprobs]),
    [
      ['a', null],
      ['bbb', null],
    ],
  );
  assert.equal(usage?.completion_tokens, 6);
  assert.equal(engine.requests[0]!.config.numReturnSequences, 3);
});

test('log-probabilities hold the chosen token, more likely ones, and offsets that count the prompt', async () => {
  const { complete } = open({ sequences: [bytesOf('aé')] });
  const { choices } = await completion(await complete({ prompt: 'pé', logprobs: 1 }));
  assert.deepEqual(choices[0]?.logprobs, {
    tokens: ['a', 'bytes:\\xc3', 'bytes:\\xa9'],
    token_logprobs: [-0.97, -1.95, -1.69],
    top_logprobs: [
      { b: -0.485, a: -0.97 },
      { 'bytes:\\xc4': -0.975, 'bytes:\\xc3': -1.95 },
      { 'bytes:\\xaa': -0.845, 'bytes:\\xa9': -1.69 },
    ],
    text_offset: [2, 3, 3],
  });
  const none = await completion(await complete({ prompt: 'p', logprobs: 0 }));
  assert.equal(none.choices[0]?.logprobs?.top_logprobs, null);
  assert.equal(none.choices[0]?.logprobs?.token_logprobs.length, 3);
});

test('cuts a stop string from the text and from the log-probabilities', async () => {
  const { complete, engine } = open({ sequences: [bytesOf('one##two')], finishReason: 'stop' });
  const { choices } = await completion(await complete({ prompt: 'p', stop: ['##', '!'], logprobs: 0 }));
  assert.equal(choices[0]?.text, 'one');
  assert.deepEqual(choices[0]?.logprobs?.tokens, ['o', 'n', 'e']);
  assert.equal(choices[0]?.finish_reason, 'stop');
  const { config } = engine.requests[0]!;
  assert.deepEqual([config.stopStrings, config.stopInPrompt], [['##', '!'], false]);
});

test('echo puts the prompt before every text', async () => {
  const { complete } = open({ sequences: [bytesOf('x'), bytesOf('y')] });
  const { choices } = await completion(await complete({ prompt: 'hé', echo: true, n: 2 }));
  assert.deepEqual(
    choices.map(({ text }) => text),
    ['héx', 'héy'],
  );
});

test('passes penalties, biases and parameters of generate to the engine', async () => {
  const { complete, engine } = open();
  await complete({
    prompt: 'p',
    presence_penalty: 0.5,
    frequency_penalty: -1,
    logit_bias: { '50256': -100, '7': 2.5 },
    seed: 5,
    top_p: 0.5,
    top_k: 9,
    repetition_penalty: 1.5,
    user: 'a user',
  });
  const { config } = engine.requests[0]!;
  assert.deepEqual([config.presencePenalty, config.frequencyPenalty], [0.5, -1]);
  assert.deepEqual(config.sequenceBias, [
    { tokens: [7], bias: 2.5 },
    { tokens: [50256], bias: -100 },
  ]);
  assert.deepEqual([config.seed, config.topP, config.topK, config.repetitionPenalty], [5, 0.5, 9, 1.5]);
  await complete({ prompt: 'p', num_beams: 2 });
  assert.equal(engine.requests[1]!.config.mode, 'beam');
});

test('refuses invalid requests with the name of the field and a remedy', async () => {
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string, RegExp])[] = [
    [{ suffix: 'x' }, 'suffix', /leave it out/],
    [{ tempratur: 1 }, 'tempratur', /did you mean temperature/],
    [{ max_length: 4 }, 'max_length', /use max_tokens/],
    [{ max_tokens: 3000 }, 'max_tokens', /max_tokens: .*at most 2047 new tokens/],
    [{ max_tokens: 0 }, 'max_tokens', /0 is for echo/],
    [{ max_tokens: 0, logprobs: 1 }, 'max_tokens', /0 is for echo/],
    [{ n: 0 }, 'n', /from 1 to 64/],
    [{ n: 3, best_of: 2 }, 'best_of', /at least n, which is 3/],
    [{ best_of: 2, stream: true }, 'best_of', /streamed/],
    [{ echo: true, logprobs: 1, stream: true }, 'echo', /streamed/],
    [{ stop: Array.from({ length: 65 }, (_, at) => `s${at}`) }, 'stop', /stop: expected at most 64/],
    [{ stop: '' }, 'stop', /non-empty/],
    [{ stop: [1] }, 'stop', /non-empty/],
    [{ logit_bias: { a: 1 } }, 'logit_bias', /token ids/],
    [{ logit_bias: { '1': 101 } }, 'logit_bias', /-100 to 100/],
    [{ logit_bias: { '999999': 1 } }, 'logit_bias', /logit_bias: /],
    [{ presence_penalty: 3 }, 'presence_penalty', /-2 to 2/],
    [{ prompt: [] }, 'prompt', /at least one/],
    [{ prompt: ['a', 1] }, 'prompt', /array of strings/],
    [{ prompt: [1.5] }, 'prompt', /token ids from 0/],
    [{ prompt: [60_000] }, 'prompt', /50399/],
    [{ prompt: 'x'.repeat(2048) }, 'prompt', /at most 2047 tokens/],
    [{ prompt: Array.from({ length: 8 }, () => 'a'), max_tokens: 2000, logprobs: 100 }, 'logprobs', /in parts/],
    [{ stream_options: { include_usage: true } }, 'stream_options', /stream/],
    [{ stream: true, stream_options: { usage: true } }, 'stream_options.usage', /include_usage/],
    [{ messages: [] }, 'messages', /not a chat model/],
    [{ grammar: {} }, 'grammar', /prefix_allowed_tokens_fn/],
    [{ inputs: 'a' }, 'inputs', /use prompt/],
    [{ details: 1 }, 'details', /true or false/],
    [{ temperature: 0, do_sample: true }, 'temperature', /above 0/],
    [{ __proto__x: 1 }, '__proto__x', /unknown/],
  ];
  for (const [body, param, message] of cases) {
    const got = await refusal(body);
    assert.deepEqual(
      [got.status, got.param, got.type],
      [400, param, 'invalid_request_error'],
      JSON.stringify([body, got]),
    );
    assert.match(got.message, message);
  }
  const unknown = await refusal({ model: 'gpt-4' });
  assert.deepEqual([unknown.status, unknown.param, unknown.code], [404, 'model', 'model_not_found']);
  assert.match(unknown.message, /use one of: scripted, EleutherAI\/gpt-j-6b, gpt-j-6b/);
});

test('accepts the fields that Hugging Face clients and evaluation harnesses send', async () => {
  const { complete, engine } = open();
  const last = () => engine.requests.at(-1)!;
  for (const model of ['', 'http://127.0.0.1:20203', 'https://example.com/v1/', 'tgi', 'GPT-J-6B']) {
    await completion(await complete({ model, prompt: 'ab' }));
  }
  const details = { details: true, decoder_input_details: false, top_n_tokens: 3, return_full_text: false };
  const plain = await completion(await complete({ prompt: 'ab', do_sample: false, ...details }));
  assert.equal(plain.choices[0]?.text, 'xyz');
  const full = await completion(await complete({ prompt: 'ab', return_full_text: true }));
  assert.equal(full.choices[0]?.text, 'abxyz');
  await completion(await complete({ prompt: 'abcdef', truncate: 2, watermark: true, adapter_id: null, grammar: null }));
  assert.deepEqual([last().prompt, last().config.watermark?.bias], [bytesOf('ef'), 2]);
  await completion(await complete({ prompt: [1, 2, 3], truncate: 2 }));
  assert.deepEqual(last().prompt, [2, 3]);
  await completion(await complete({ prompt: 'ab', max_tokens: 8, max_new_tokens: 5 }));
  assert.equal(last().config.maxLength, 10);
  await completion(await complete({ prompt: 'ab', max_new_tokens: 5 }));
  assert.equal(last().config.maxLength, 7);
});

test('lists and describes the model under every name', async () => {
  const { get } = open();
  const list = (await (await get('/v1/models')).json()) as { object: string; data: { id: string }[] };
  assert.deepEqual(
    list.data.map(({ id }) => id),
    ['scripted', 'EleutherAI/gpt-j-6b', 'gpt-j-6b'],
  );
  for (const path of ['/v1/models/EleutherAI/gpt-j-6B', '/v1/models/EleutherAI%2Fgpt-j-6b']) {
    const reply = await get(path);
    assert.deepEqual(await reply.json(), {
      id: 'EleutherAI/gpt-j-6b',
      object: 'model',
      created: 1767323045,
      owned_by: 'gptj-cloud',
    });
  }
  assert.equal((await get('/v1/models/gpt-4')).status, 404);
});

test('streams each text while it is generated, the finish reason, the usage if requested, and [DONE]', async () => {
  const { complete } = open({ sequences: [bytesOf('xé'), bytesOf('y')] });
  const reply = await complete({ prompt: 'p', n: 2, stream: true, stream_options: { include_usage: true } });
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/);
  const data = await readData(reply);
  assert.equal(data.at(-1), '[DONE]');
  const chunks = data.slice(0, -1).map((line) => JSON.parse(line) as Completion);
  assert.deepEqual(
    chunks.map(({ choices: [choice], usage }) => [choice?.index, choice?.text, choice?.finish_reason, usage]),
    [
      [0, 'x', null, null],
      [1, 'y', null, null],
      [0, 'é', null, null],
      [0, '', 'length', null],
      [1, '', 'length', null],
      [undefined, undefined, undefined, { prompt_tokens: 1, completion_tokens: 4, total_tokens: 5 }],
    ],
  );
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
});

test('streams no part of a stop string, nor log-probabilities of its tokens', async () => {
  const { complete } = open({ sequences: [bytesOf('a#b##c')], finishReason: 'stop' });
  const reply = await complete({ prompt: 'p', stream: true, stop: '##', logprobs: 0, echo: false });
  const chunks = (await readData(reply)).slice(0, -1).map((line) => JSON.parse(line) as Completion);
  assert.deepEqual(
    chunks.map(({ choices: [choice] }) => [choice?.text, choice?.logprobs?.tokens, choice?.finish_reason]),
    [
      ['a', ['a'], null],
      ['#b', ['#', 'b'], null],
      ['', [], 'stop'],
    ],
  );
});

test('streams the prompt first with echo, and all copies of a greedy choice', async () => {
  const { complete } = open({ sequences: [bytesOf('x')] });
  const reply = await complete({ prompt: ['a', 'b'], n: 2, temperature: 0, stream: true, echo: true });
  const texts = new Map<number, string>();
  for (const line of (await readData(reply)).slice(0, -1)) {
    for (const { index, text } of (JSON.parse(line) as Completion).choices) {
      texts.set(index, (texts.get(index) ?? '') + text);
    }
  }
  assert.deepEqual([...texts].sort(), [
    [0, 'ax'],
    [1, 'ax'],
    [2, 'bx'],
    [3, 'bx'],
  ]);
});

test('sends a failure in the middle of a stream as an event, without [DONE]', async () => {
  const error = new ModelError('engine_failed', 'the engine process ended');
  const { complete } = open({ sequences: [bytesOf('xyz')], failure: { after: 1, error } });
  const data = await readData(await complete({ prompt: 'p', stream: true }));
  assert.equal(data.length, 2);
  const last = JSON.parse(data[1]!) as { error: { code: string; type: string; message: string } };
  assert.deepEqual([last.error.code, last.error.type], ['engine_failed', 'server_error']);
  assert.match(last.error.message, /; wait 5 seconds and send the request again$/);
});

test('refusals of admission have their own status, streamed or not', async () => {
  const engine = createScriptedEngine(() => ({ sequences: [[120]] }));
  const { post } = createDirectApp({
    engine,
    model: byteModel(engine),
    admit: () => Promise.reject(new ApiError('rate_limited', {}, { retryAfterSeconds: 9 })),
  });
  for (const stream of [true, false]) {
    const reply = await post('/v1/completions', { prompt: 'p', stream });
    assert.deepEqual([reply.status, reply.headers.get('retry-after')], [429, '9']);
    const { error } = (await reply.json()) as { error: { code: string } };
    assert.equal(error.code, 'rate_limit_exceeded');
  }
});
