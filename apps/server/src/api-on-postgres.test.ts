/** A server without an engine beside a worker, on one PostgreSQL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTokenizerData } from '@gptj-cloud/engine';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import type { ServerOptions } from './config/parse-config.ts';
import { embeddedModelPath } from './embedded-model.ts';
import { type ServeParts, serve } from './main.ts';
import { byteTokenizer, createFakeEngine } from './testing/fake-model.ts';
import { createScratchDatabase, WITHOUT_POSTGRES } from './testing/test-store.ts';
import { until } from './testing/until.ts';

const TOKEN = 'test-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };

const start = async (databaseUrl: string | null, options: ServerOptions, parts: Partial<ServeParts>) =>
  await serve(
    { port: 0, databaseUrl, apiToken: TOKEN, ...options },
    {
      environment: {},
      print: () => {},
      log: () => {},
      terminal: { print: true, log: false, colours: false },
      ...parts,
    },
  );
const noModel: ServeParts['openModel'] = () => {
  throw new Error('a server without an engine loads no model');
};

test('a server without an engine answers the whole API by the models of its workers', {
  skip: WITHOUT_POSTGRES,
}, async () => {
  const database = await createScratchDatabase();
  const printed: string[] = [];
  const starting = start(
    database.url,
    { hasEngine: false },
    { openModel: noModel, print: (line) => printed.push(line) },
  );
  await until(() => printed.some((line) => line.startsWith('Waiting for the first gptj worker')));
  const engine = createFakeEngine();
  const vocabulary = await readTokenizerData(await embeddedModelPath());
  const openModel: ServeParts['openModel'] = async () => ({ engine, tokenizer: byteTokenizer, vocabulary });
  const worker = await start(database.url, {}, { role: 'worker', openModel });
  const api = await starting;
  try {
    const post = async (path: string, body: object): Promise<Response> =>
      await fetch(api.url + path, { method: 'POST', headers: HEADERS, body: JSON.stringify(body) });
    assert.equal((await fetch(`${api.url}/readyz`)).status, 200);
    const models = await (await fetch(`${api.url}/v1/models`, { headers: HEADERS })).text();
    assert.match(models, /"id":"fake"/);
    const tokens = await (await post('/v2/tokenize', { text: 'Hello world' })).text();
    assert.match(tokens, /15496/);
    const completion = await post('/v1/completions', { prompt: 'Hello world', max_tokens: 3 });
    assert.equal(completion.status, 200, await completion.clone().text());
    assert.match(await completion.text(), /"completion_tokens":3/);
    const run = await post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['Hello', { response_length: 2 }] });
    assert.equal(runGetSchema.parse(await run.json()).run_state, 'complete');
    assert.equal(engine.began, 2);
    const stats = await (await fetch(`${api.url}/v2/engine`, { headers: HEADERS })).text();
    assert.match(stats, /"state":"ready"/);
  } finally {
    await api.close();
    await worker.close();
    await database.drop();
  }
});

test('a server without an engine and without a PostgreSQL is refused, and a worker without an engine', async () => {
  await assert.rejects(
    start(null, { hasEngine: false }, { openModel: noModel }),
    /DATABASE_URL: expected the PostgreSQL/,
  );
  await assert.rejects(
    start('postgres://127.0.0.1:9/none', { hasEngine: false }, { role: 'worker', openModel: noModel }),
    /GPTJ_ENGINE: expected an engine for a worker/,
  );
});
