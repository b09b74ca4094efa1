/** Stop strings from the tokens of an engine to the bytes of a socket: no part of one is ever sent. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readPickle } from '@gptj-cloud/pickle';
import { GPTJ_PIPELINE_ID, parseRunEvent, type RunGet } from '@gptj-cloud/protocol';
import { type Listener, listen } from '../http/listen.ts';
import { createDirectApp, readData } from '../testing/direct-app.ts';
import { byteTokenizer } from '../testing/fake-model.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { openTestApp, type TestApp, TOKEN } from '../testing/test-app.ts';
import { openTinyModel, type TinyModel } from '../testing/tiny-model.ts';

/** Ids from here on are the pieces of the case under test. */
const FIRST_PIECE = 1000;

let it: TestApp;
let listener: Listener;
let pieces: readonly Uint8Array[] = [];
let finishReason: 'stop' | 'length' = 'stop';
before(async () => {
  it = await openTestApp({
    generator: createScriptedEngine(({ config }) => ({
      sequences: Array.from({ length: config.numReturnSequences }, () => pieces.map((_, at) => FIRST_PIECE + at)),
      finishReason,
    })),
    tokenizer: {
      ...byteTokenizer,
      decode: (ids) => Buffer.concat(ids.map((id) => pieces[id - FIRST_PIECE] ?? Buffer.of(id))).toString(),
      tokenBytes: (id) => pieces[id - FIRST_PIECE] ?? Uint8Array.of(id),
    },
  });
  listener = await listen((request, peer) => it.app.fetch(request, { peer }), { host: '127.0.0.1', port: 0 });
});
after(async () => {
  await listener.close();
  await it.close();
});

const ask = (path: string, body?: object): Promise<Response> =>
  fetch(listener.url + path, {
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });

interface StreamedRun {
  readonly raw: string;
  /** The text of its token events. */
  readonly text: string;
  readonly run: RunGet;
}

async function readRun(reply: Response): Promise<StreamedRun> {
  const raw = await reply.text();
  let text = '';
  let run: RunGet | null = null;
  for (const [, type = '', data = ''] of raw.matchAll(/^event: (\w+)\ndata: (.*)$/gm)) {
    const event = parseRunEvent(type, JSON.parse(data));
    if (event?.type === 'token') text += event.text;
    if (event?.type === 'run') run = event.run;
  }
  return { raw, text, run: run ?? assert.fail(raw) };
}

const streamRun = async (parameters: object): Promise<StreamedRun> =>
  await readRun(await ask('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['p', parameters], stream: true }));

/** The text of each choice of a streamed completion. */
async function streamCompletion(body: object): Promise<{ readonly raw: string; readonly texts: readonly string[] }> {
  const reply = await ask('/v1/completions', { model: 'scripted', prompt: 'p', stream: true, ...body });
  const raw = await reply.clone().text();
  const texts: string[] = [];
  const data = await readData(reply);
  assert.equal(data.at(-1), '[DONE]');
  for (const chunk of data.slice(0, -1)) {
    for (const { index, text } of JSON.parse(chunk).choices) texts[index] = (texts[index] ?? '') + text;
  }
  return { raw, texts };
}

/** The bytes of a text in pieces of one size; the first has another size. */
function split(text: string, size: number, first: number): readonly Uint8Array[] {
  const bytes = Buffer.from(text);
  const cuts = [0];
  for (let at = first; at < bytes.length; at += size) cuts.push(at);
  return cuts.map((from, i) => bytes.subarray(from, cuts[i + 1] ?? bytes.length));
}

/** The pieces up to the one that ends the stop string, where an engine stops. */
function upToStop(all: readonly Uint8Array[], stop: string): readonly Uint8Array[] {
  const count = all.findIndex((_, at) => Buffer.concat(all.slice(0, at + 1)).includes(stop));
  return all.slice(0, count + 1);
}

const TEXTS = [
  // Text that begins like the stop string, before it and right at its beginning.
  { text: 'an S, an ST, STSTOPPED', stop: 'STOP', shown: 'an S, an ST, ST' },
  { text: 'STOP', stop: 'STOP', shown: '' },
  // Characters of several bytes, split inside.
  { text: 'é¶ é¶日 x', stop: '¶日', shown: 'é¶ é' },
] as const;

/** Bytes of a piece, and of the first one. */
const SIZES = [
  [1, 1],
  [2, 1],
  [2, 2],
  [3, 2],
  [5, 3],
  [100, 100],
] as const;

test('a run with trim_stop shows the text before the stop string, however tokens split it', async () => {
  finishReason = 'stop';
  for (const { text, stop, shown } of TEXTS) {
    for (const [size, first] of SIZES) {
      pieces = upToStop(split(text, size, first), stop);
      const parameters = { response_length: 40, stop_strings: [stop], trim_stop: true, num_return_sequences: 1 };
      const streamed = await streamRun(parameters);
      const what = `${text} by ${size} from ${first}`;
      assert.equal(streamed.text, shown, what);
      assert.deepEqual(streamed.run.result_preview, [[shown]], what);
      assert.ok(!streamed.raw.includes(stop), what);
      // The replayed events and the stored result.
      assert.equal((await readRun(await ask(`/v2/runs/${streamed.run.id}/events`))).text, shown, what);
      assert.deepEqual(readPickle(Buffer.from(streamed.run.result?.data ?? '', 'hex')), [[shown]], what);
    }
  }
});

test('a streamed completion shows the text before the stop string, however tokens split it', async () => {
  finishReason = 'stop';
  for (const { text, stop, shown } of TEXTS) {
    for (const [size, first] of SIZES) {
      pieces = upToStop(split(text, size, first), stop);
      const what = `${text} by ${size} from ${first}`;
      const { raw, texts } = await streamCompletion({ max_tokens: 40, stop: ['never', stop], n: 2 });
      assert.deepEqual(texts, [shown, shown], what);
      assert.ok(!raw.includes(stop), what);
    }
  }
});

test('shows the beginning of a stop string when the text ends there', async () => {
  finishReason = 'length';
  pieces = split('on and STO', 1, 1);
  const run = await streamRun({ response_length: 10, stop_strings: ['STOP'], trim_stop: true });
  assert.equal(run.text, 'on and STO');
  assert.deepEqual((await streamCompletion({ max_tokens: 10, stop: 'STOP' })).texts, ['on and STO']);
});

test('returns the stop string without trim_stop, as transformers does', async () => {
  finishReason = 'stop';
  pieces = split('go STOP', 2, 1);
  const run = await streamRun({ response_length: 10, stop_strings: ['STOP'] });
  assert.deepEqual([run.text, run.run.result_preview], ['go STOP', [['go STOP']]]);
});

test('does not show a stop string that an engine finds across tokens', async () => {
  const tiny: TinyModel = await openTinyModel();
  try {
    const direct = createDirectApp(tiny);
    const write = async (stop: readonly string[]): Promise<{ readonly text: string; readonly reasons: unknown[] }> => {
      const body = { prompt: 'abc', max_tokens: 100, temperature: 1, seed: 12, stream: true, stop };
      const data = await readData(await direct.post('/v1/completions', body));
      const choices = data.slice(0, -1).flatMap((chunk) => JSON.parse(chunk).choices);
      return {
        text: choices.map(({ text }) => text).join(''),
        reasons: choices.flatMap(({ finish_reason: reason }) => reason ?? []),
      };
    };
    const { text, reasons } = await write([]);
    assert.deepEqual(reasons, ['length']);
    // The tokens of this model hold two letters: three letters are never one token.
    const stops = [...text.matchAll(/(?=([a-l]{3}))/g)].map(([, letters = '']) => letters).slice(0, 6);
    assert.ok(stops.length >= 3, text);
    for (const stop of stops) {
      assert.deepEqual(await write([stop]), { text: text.slice(0, text.indexOf(stop)), reasons: ['stop'] }, stop);
    }
  } finally {
    await tiny.close();
  }
});
