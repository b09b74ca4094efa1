/** However a generation ends, its caller is charged for at least the tokens that the client has seen, unless the server failed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { openEmbeddedApp } from '../testing/embedded-app.ts';
import { createScriptedEngine, type Script } from '../testing/scripted-engine.ts';
import { bytesOf } from '../testing/scripted-model.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';
import { until } from '../testing/until.ts';

const ASKED = 40;
/** Tokens of each sequence before the end that the test chose. */
const MADE = 12;
const NEVER = new Promise<void>(() => {});

let it: TestApp;
let ending: Omit<Script, 'sequences'> = {};
before(async () => {
  const engine = createScriptedEngine(({ config }) => ({
    sequences: Array.from({ length: config.numReturnSequences }, () => bytesOf('x'.repeat(ASKED))),
    ...ending,
  }));
  it = await openTestApp({ generator: engine });
});
after(() => it.close());

/** Streams of every API, each token of which is the letter x. */
const STREAMS: readonly (readonly [path: string, body: object])[] = [
  ['/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: ASKED }], stream: true }],
  ['/v1/completions', { model: 'scripted', prompt: 'four', max_tokens: ASKED, stream: true }],
  ['/v1/completions', { model: 'scripted', prompt: ['four', 'two'], n: 2, max_tokens: ASKED, stream: true }],
  ['/v1/completions', { model: 'scripted', prompt: 'four', max_tokens: ASKED, stream: true, logprobs: 2 }],
  ['/generate_stream', { inputs: 'four', parameters: { max_new_tokens: ASKED } }],
];

interface Seen {
  readonly tokens: number;
  readonly metered: number;
  readonly requests: number;
}

/** Read a stream until its end, or until `leaveAt` tokens were seen, and wait until its reservation ended. */
async function seenOf(path: string, body: object, leaveAt = Number.POSITIVE_INFINITY): Promise<Seen> {
  const { settled, cancelled } = it.admission;
  const [before, unmetered] = [settled.length, cancelled.length];
  const reply = await it.post(path, body);
  const reader = reply.body?.getReader() ?? assert.fail('expected a body');
  let text = '';
  let tokens = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
    tokens = text.match(/"text": ?"x"/g)?.length ?? 0;
    if (tokens >= leaveAt) {
      await reader.cancel();
      break;
    }
  }
  await until(() => settled.length + cancelled.length > before + unmetered);
  const costs = settled.slice(before);
  return { tokens, metered: costs.reduce((sum, cost) => sum + cost.computedTokens, 0), requests: costs.length };
}

const fail = (error: unknown): void => {
  ending = { failure: { after: MADE, error } };
};

test('a stream that ends by itself, or whose client leaves, is metered for every token that was seen', async () => {
  for (const [path, body] of STREAMS) {
    ending = {};
    const whole = await seenOf(path, body);
    assert.ok(whole.tokens >= ASKED && whole.tokens <= whole.metered, JSON.stringify({ path, whole }));
    ending = { pause: (token) => (token === MADE ? NEVER : null) };
    const left = await seenOf(path, body, 4);
    assert.ok(left.tokens >= 4 && left.tokens <= left.metered && left.requests === 1, JSON.stringify({ path, left }));
  }
});

test('a stream that fails by its own parameters is metered for every token that was seen', async () => {
  for (const [path, body] of STREAMS) {
    for (const code of [
      'generation_impossible',
      'cache_full',
      'unsupported',
      'decoding_too_costly',
      'generation_stalled',
      'generation_timed_out',
    ] as const) {
      fail(new ModelError(code, 'not with these parameters'));
      const seen = await seenOf(path, body);
      assert.ok(seen.tokens >= MADE - 1 && seen.tokens <= seen.metered, JSON.stringify({ path, code, seen }));
      assert.equal(seen.requests, 1);
    }
  }
});

test('a prompt that waits too long for the model is free; those before it in the request are charged', async () => {
  ending = {};
  const queue = new ModelError('queue_timed_out', 'the model is busy');
  let prompts = 0;
  ending = {
    get failure() {
      return prompts++ === 0 ? undefined : { after: 0, error: queue };
    },
  } as typeof ending;
  const seen = await seenOf('/v1/completions', {
    model: 'scripted',
    prompt: ['four', 'two'],
    max_tokens: 4,
    stream: true,
  });
  assert.ok(seen.tokens <= seen.metered && seen.metered > 0, JSON.stringify(seen));
});

test('a stream that the server broke is free', async () => {
  for (const [path, body] of STREAMS) {
    for (const error of [new ModelError('closed', 'the engine is closed'), new TypeError('a bug')]) {
      fail(error);
      assert.deepEqual((await seenOf(path, body)).requests, 0, `${path} ${error}`);
    }
  }
});

test('text whose last position is made impossible is charged like any other', async () => {
  const embedded = await openEmbeddedApp();
  try {
    const letters = 60;
    const reply = await embedded.send('/v1/completions', {
      prompt: 'Once upon a time',
      max_tokens: 100,
      temperature: 0,
      stream: true,
      prefix_allowed_tokens_fn: { regex: `[a-z]{${letters}}Q` },
      suppress_tokens: [48],
    });
    const text = await reply.text();
    assert.match(text, /every token|no token/);
    const streamed = [...text.matchAll(/"text":"([^"]*)"/g)];
    assert.ok(streamed.map(([, part]) => part).join('').length > letters / 2);
    const [cost, ...more] = embedded.admission.settled;
    assert.equal(more.length, 0);
    assert.ok((cost?.generatedTokens ?? 0) >= streamed.length - 1, JSON.stringify(cost));
    assert.ok((cost?.computedTokens ?? 0) >= (cost?.promptTokens ?? 0) + (cost?.generatedTokens ?? 0));
  } finally {
    await embedded.close();
  }
});
