/** LoRA adapters, through each API. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';

const PIPELINE = pipelineOf('tiny', true).id;

let it: TestApp;
before(async () => {
  // Writes the adapters of its request.
  const engine = createScriptedEngine(({ config }) => {
    const text = config.lora.map(({ name, scale }) => `${name}*${scale}`).join(' ') || 'none';
    return { sequences: [[...new TextEncoder().encode(text)]] };
  });
  const generator = { ...engine, info: { ...engine.info, modelName: 'tiny', adapters: ['stories', 'talk'] } };
  it = await openTestApp({ generator });
});
after(() => it.close());

async function post(path: string, body: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const reply = await it.post(path, body);
  return { status: reply.status, text: await reply.text() };
}

const complete = async (body: object, path = '/v1/completions'): Promise<string> => {
  const { status, text } = await post(path, { prompt: 'a', ...body });
  assert.equal(status, 200, text);
  return JSON.parse(text).choices[0].text;
};

test('a run names adapters and their scales among its parameters', async () => {
  for (const [lora, expected] of [
    [[{ name: 'stories' }], 'stories*1'],
    [[{ name: 'talk', scale: -0.5 }, { name: 'stories' }], 'talk*-0.5 stories*1'],
    [[], 'none'],
    [null, 'none'],
  ] as const) {
    const { text } = await post('/v2/runs', {
      pipeline_id: PIPELINE,
      data: ['a', { lora, max_new_tokens: 40 }],
    });
    assert.deepEqual(JSON.parse(text).result_preview, [[expected]], text);
  }
});

test('a completion names an adapter after the model, in any case, or by lora', async () => {
  assert.equal(await complete({}), 'none');
  for (const model of ['tiny:stories', 'gpt-j-6b:stories', 'EleutherAI/gpt-j-6b:Stories']) {
    assert.equal(await complete({ model }), 'stories*1', model);
  }
  assert.equal(await complete({ lora: [{ name: 'talk', scale: 2 }] }), 'talk*2');
  assert.equal(await complete({}, '/v1/engines/tiny:talk/completions'), 'talk*1');
});

test('a completion says which adapter the field model chose', async () => {
  const { text } = await post('/v1/completions', { prompt: 'a', model: 'GPT-J-6B:Talk' });
  assert.equal(JSON.parse(text).model, 'tiny:talk');
});

test('models with adapters are listed, and described by their names', async () => {
  const { data } = JSON.parse(await (await it.request('/v1/models')).text());
  const names = data.map(({ id }: { readonly id: string }) => id);
  assert.deepEqual(names, ['tiny', 'EleutherAI/gpt-j-6b', 'gpt-j-6b', 'tiny:stories', 'tiny:talk']);
  assert.equal((await it.request('/v1/models/gpt-j-6b:talk')).status, 200);
  assert.equal((await it.request('/v1/models/gpt-j-6b:other')).status, 404);
});

test('adapter_id of text-generation-inference names an adapter, as do its field model and its address', async () => {
  const generate = async (path: string, body: object): Promise<string> => {
    const { status, text } = await post(path, { inputs: 'a', ...body });
    assert.equal(status, 200, text);
    const reply = JSON.parse(text);
    return (Array.isArray(reply) ? reply[0] : reply).generated_text;
  };
  assert.equal(await generate('/generate', { parameters: { adapter_id: 'talk' } }), 'talk*1');
  assert.equal(await generate('/generate', { model: 'tiny:stories' }), 'stories*1');
  assert.equal(await generate('/generate', { parameters: { lora: [{ name: 'talk', scale: 3 }] } }), 'talk*3');
  assert.equal(await generate('/models/gpt-j-6b:talk', {}), 'atalk*1');
});

test('an adapter that the model does not have is refused by a message that lists those it has', async () => {
  const refused: readonly (readonly [string, object, number, RegExp])[] = [
    ['/v1/completions', { prompt: 'a', model: 'tiny:storys' }, 404, /tiny:stories, tiny:talk/],
    [
      '/v1/completions',
      { prompt: 'a', lora: [{ name: 'storys' }] },
      400,
      /lora: expected an adapter of this model \(stories, talk\), got .{0,2}storys.{0,2}; did you mean stories\?/,
    ],
    [
      '/generate',
      { inputs: 'a', parameters: { adapter_id: 'x' } },
      422,
      /adapter_id: expected an adapter of this model/,
    ],
    [
      '/v2/runs',
      { pipeline_id: PIPELINE, data: ['a', { lora: [{ name: 'x' }] }] },
      400,
      /lora: expected an adapter of this model \(stories, talk\)/,
    ],
  ];
  for (const [path, body, status, message] of refused) {
    const reply = await post(path, body);
    assert.equal(reply.status, status, reply.text);
    assert.match(reply.text, message);
  }
});

test('an adapter named twice, by two fields or with a wrong scale is refused', async () => {
  for (const [body, message] of [
    [{ model: 'tiny:talk', lora: [{ name: 'talk' }] }, /expected one of lora and the adapter in model, got both/],
    [{ lora: [{ name: 'talk' }, { name: 'talk', scale: 2 }] }, /expected every adapter once/],
    [{ lora: [{ name: 'talk', scale: 1e9 }] }, /expected a number from -100 to 100/],
    [{ lora: [{ name: 'talk', weight: 1 }] }, /expected only the fields name, scale/],
    [{ lora: Array(5).fill({ name: 'talk' }) }, /at most 4/],
    [{ lora: { talk: 1 } }, /expected an array of \{name, scale\}/],
    [{ adapter_id: 'talk' }, /adapter_id: use lora, or/],
  ] as const) {
    const { status, text } = await post('/v1/completions', { prompt: 'a', ...body });
    assert.equal(status, 400, text);
    assert.match(text, message);
  }
});
