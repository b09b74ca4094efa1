import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import { readPickle } from '@gptj-cloud/pickle';
import {
  dataGetSchema,
  fileGetSchema,
  GPTJ_PIPELINE_ID,
  type RunGet,
  runGetSchema,
  runPageSchema,
  userGetDetailedSchema,
} from '@gptj-cloud/protocol';
import { NOW, openTestApp, type TestApp, TOKEN } from './testing/test-app.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const PROMPT = 'I met a traveller';
const run = (prompt: unknown, parameters: unknown) =>
  it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: [prompt, parameters] });

async function endedRun(response: Response): Promise<RunGet> {
  assert.equal(response.status, 200);
  return runGetSchema.parse(await response.json());
}

async function detail(response: Response, status: number): Promise<Record<string, unknown>> {
  const body: unknown = await response.json();
  assert.equal(response.status, status, JSON.stringify(body));
  assert.ok(typeof body === 'object' && body !== null && 'detail' in body);
  assert.ok(typeof body.detail === 'object' && body.detail !== null && 'message' in body.detail);
  assert.equal(Reflect.get(body.detail, 'request_id'), response.headers.get('x-request-id'));
  return { ...body.detail };
}

test('answers a run with inline data with its result, as the sample of 2022 reads it', async () => {
  const reply = await endedRun(await run(PROMPT, { response_length: 4, remove_input: false }));
  assert.deepEqual(reply.result_preview, [[`${PROMPT}xxxx`]]);
  assert.equal(reply.run_state, 'complete');
  assert.equal(reply.created_at, NOW.getTime() / 1000);
  assert.equal(reply.compute_time_ms, 13);
  assert.deepEqual([reply.error, reply.error_info], [null, null]);
  assert.equal(reply.runnable.id, GPTJ_PIPELINE_ID);
});

test('ignores unknown fields of a run, and names them in its warnings', async () => {
  const body = { pipeline_id: GPTJ_PIPELINE_ID, data: [PROMPT, { max_new_tokens: 2, min_p: 0.1, do_sample: false }] };
  const reply = await endedRun(await it.post('/v2/runs', { asyncrun: true, zzzzzzzz: 1, blocking: true, ...body }));
  const [first, second, third, ...more] = reply.warnings ?? [];
  assert.equal(first, 'asyncrun is ignored: it is no field of a run (did you mean async_run?)');
  assert.equal(second, 'zzzzzzzz is ignored: it is no field of a run');
  assert.match(third ?? '', /^min_p /);
  assert.deepEqual(more, []);
  assert.deepEqual(
    runGetSchema.parse(await (await it.request(`/v2/runs/${reply.id}`)).json()).warnings,
    reply.warnings,
  );
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`${at}`.repeat(200), at]));
  const loud = await endedRun(await it.post('/v2/runs', { ...many, ...body }));
  assert.ok((loud.warnings ?? []).join('').length < 4000);
});

test('stores the pickle of the preview in the result file, in hex', async () => {
  const reply = await endedRun(await run(PROMPT, { response_length: 2, num_return_sequences: 2 }));
  assert.deepEqual(reply.result_preview, [['xx', 'xx']]);
  const file = fileGetSchema.parse(await (await it.request(`/v2/files/${reply.result?.id}?return_data=True`)).json());
  const data = file.data ?? '';
  assert.deepEqual(readPickle(Buffer.from(data, 'hex')), reply.result_preview);
  assert.equal(file.file_size, data.length);
  assert.match(file.path, /^object_[a-z0-9]{64}$/);
});

test('finds a run by its id and in the list, newest first', async () => {
  const first = await endedRun(await run('one', {}));
  assert.deepEqual(runGetSchema.parse(await (await it.request(`/v2/runs/${first.id}`)).json()), first);
  const page = runPageSchema.parse(
    await (await it.request('/v2/runs?limit=1&skip=0&order_by=created_at%3Adesc')).json(),
  );
  assert.deepEqual([page.limit, page.skip, page.data.length], [1, 0, 1]);
  assert.ok(page.total >= 1);
});

test('refuses invalid input and parameters with a message before anything is stored', async () => {
  const total = async (): Promise<number> => runPageSchema.parse(await (await it.request('/v2/runs')).json()).total;
  const before = await total();
  const refusals: readonly (readonly [prompt: unknown, parameters: unknown, message: RegExp])[] = [
    ['', {}, /^Prompt must be a non-empty string\.$/],
    [7, {}, /^Input type mismatch, expecting str got int$/],
    ['hi', [], /^Input type mismatch, expecting dict got list$/],
    ['hi', { response_length: 2047 }, /^GPT-J inference is limited to 2048 tokens\./],
    ['hi', { output_attentions: false }, /^Sorry, output_attentions is not yet a supported parameter/],
    ['hi', { response_length: 1.5 }, /response_length.*integer/],
    ['hi', { tempature: 0.5 }, /temperature/],
    ['hi', { temperature: -1 }, /temperature/],
  ];
  for (const [prompt, parameters, message] of refusals) {
    assert.match(String((await detail(await run(prompt, parameters), 400)).message), message);
  }
  assert.equal(await total(), before);
});

test('refuses an invalid body with every parameter at fault', async () => {
  const body = await detail(await it.post('/v2/runs', { pipeline_id: 7, data_id: 'x', data: [] }), 400);
  assert.deepEqual(body.errors, [{ parameter: 'body->pipeline_id', error: 'expected a string, got a number' }]);
  await detail(await it.post('/v2/runs', []), 400);
  await detail(await it.request('/v2/runs', { method: 'POST', body: '{"pipeline_id": NaN}' }), 400);
});

test('refuses unknown pipelines, functions and data', async () => {
  assert.match(
    String((await detail(await it.post('/v2/runs', { pipeline_id: 'a:b', data: [] }), 404)).message),
    /no pipeline a:b/,
  );
  await detail(await it.post('/v2/runs', { function_id: 'function_x', data: [] }), 400);
  await detail(await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data_id: 'data_x' }), 404);
  for (const path of ['/v2/runs/run_x', '/v2/files/file_x', '/v2/data/data_x', '/v2/pipelines/pipeline_x']) {
    await detail(await it.request(path), 404);
  }
});

test('retries a run once when the engine dies, and fails it with 200 the second time', async () => {
  const died = (): ModelError => new ModelError('engine_failed', 'the engine process ended');
  it.engine.failures.push(died());
  assert.equal((await endedRun(await run('hi', {}))).run_state, 'complete');
  it.engine.failures.push(died(), died());
  const failed = await endedRun(await run('hi', {}));
  assert.deepEqual([failed.run_state, failed.error, failed.result_preview], ['failed', 'max_retries', null]);
  assert.match(failed.error_info?.exception ?? '', /engine process ended/);
  assert.equal(typeof failed.error_info?.traceback, 'string');
});

test('refuses a run with 429 and Retry-After when the queue is full', async () => {
  it.engine.hold();
  const stored = async (): Promise<number> => {
    const page = (await (await it.request('/v2/runs?limit=1')).json()) as { readonly total: number };
    return page.total;
  };
  const before = await stored();
  const replies = [run('a', {}), run('b', {}), run('c', {})];
  // A stored run holds its place in the engine or in the queue.
  while ((await stored()) < before + 3);
  const refused = await run('d', {});
  assert.match(String((await detail(refused, 429)).message), /too many runs are waiting: 1 of 1/);
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  it.engine.resume();
  for (const reply of replies) assert.equal((await endedRun(await reply)).run_state, 'complete');
});

test('fails a run at an unexpected error without showing internals', async () => {
  it.engine.failures.push(new Error('secret path /home/x'));
  const failed = await endedRun(await run('hi', {}));
  assert.equal(failed.error, 'pipeline_fault');
  assert.doesNotMatch(JSON.stringify(failed), /secret/);
  assert.ok(it.logLines.some((line) => line.includes('secret') && line.includes(failed.id)));
});

test('refuses uploads of code with a message that the client shows', async () => {
  for (const path of ['/v2/functions', '/v2/models/', '/v2/pipelines', '/v2/pipeline-files/presigned-url']) {
    assert.match(String((await detail(await it.post(path, {}), 403)).message), /does not execute uploaded code/);
  }
});

test('answers every address with and without a slash at its end', async () => {
  for (const path of ['/v2/users/me', '/v2/runs', '/v2/status', `/v2/pipelines/${GPTJ_PIPELINE_ID}`, '/healthz']) {
    assert.equal((await it.request(path)).status, 200, path);
    assert.equal((await it.request(`${path}/`)).status, 200, `${path}/`);
  }
  userGetDetailedSchema.parse(await (await it.request('/v2/users/me')).json());
});

/** Written out, so that no route becomes public by accident. */
const PUBLIC_ROUTES: ReadonlySet<string> = new Set([
  'GET /',
  'GET /healthz',
  'GET /readyz',
  'GET /health',
  'GET /v2/status',
  'GET /v2/server',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/:page',
  'GET /docs/reference/:section',
  'GET /docs/screens/:file',
  'POST /v2/auth/register',
  'POST /v2/auth/login',
  'POST /v2/auth/forgot-password',
  ...['set-up', 'verify-email', 'reset-password', 'change-email', 'oauth-code'].flatMap((link) => [
    `GET /v2/auth/${link}`,
    `POST /v2/auth/${link}`,
  ]),
  'GET /v2/auth/oauth',
  'GET /v2/auth/oauth/:provider',
  'GET /v2/auth/oauth/:provider/callback',
  'GET /v2/auth/signed-in',
  'GET /v2/auth/linked',
  // Its signature authenticates the request.
  'POST /v2/billing/stripe-webhook',
]);

test('refuses a missing and a wrong token on every route that is not public', async () => {
  let walked = 0;
  for (const { method, path } of it.app.routes) {
    if (path === '/*') continue;
    const target = path.replaceAll(/:\w+/g, 'x');
    const sent = method === 'ALL' ? 'PUT' : method;
    const refusals = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: TOKEN },
      { cookie: 'gptj_session=wrong' },
    ];
    for (const headers of refusals) {
      const { status } = await it.app.request(target, { method: sent, headers });
      if (PUBLIC_ROUTES.has(`${sent} ${path}`)) assert.notEqual(status, 401, path);
      else assert.equal(status, 401, `${method} ${path}`);
    }
    walked++;
  }
  assert.ok(walked > 20);
});

test('answers a wrong method by 405 with Allow, and a wrong address by 404', async () => {
  const reply = await it.request('/v2/runs', { method: 'PATCH' });
  await detail(reply, 405);
  assert.equal(reply.headers.get('allow'), 'POST, GET, HEAD');
  const unknown = await detail(await it.request('/v2/nothing'), 404);
  const front: unknown = await (await it.request('/')).json();
  // The addresses they name exist.
  for (const text of [String(unknown.remedy), JSON.stringify(front)]) {
    const named = [...text.matchAll(/GET (\/[\w./]*)/g)].map(([, path = '']) => path);
    assert.deepEqual(named, ['/docs', '/openapi.json']);
    for (const path of named) assert.equal((await it.request(path)).status, 200);
  }
});

test('refuses bodies above the limits, whether counted or announced', async () => {
  await detail(await it.post('/v2/runs', { data: 'x'.repeat(100_001) }), 413);
  const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(50_000)) });
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body: stream, duplex: 'half' };
  await detail(await it.request('/v2/runs', init), 413);
});

test('names no setting in the remedy for a limit that no setting raises', async () => {
  const login = (size: number) => it.post('/v2/auth/login', { login: 'a', password: 'x'.repeat(size) });
  const { message, remedy } = await detail(await login(20_000), 413);
  assert.equal(message, 'body is too large: expected at most 16384 bytes');
  assert.match(String(remedy), /no setting raises/);
  assert.match(
    String((await detail(await it.post('/v2/runs', { data: 'x'.repeat(100_001) }), 413)).remedy),
    /operator/,
  );
});

test('includes the bytes of small files always, and of large ones with return_data', async () => {
  const upload = async (bytes: Uint8Array, name: string, path: string): Promise<unknown> => {
    const form = new FormData();
    form.append(name, new Blob([bytes]), 'x');
    return await (await it.request(path, { method: 'POST', body: form })).json();
  };
  const large = Buffer.alloc(10_001, 0x80);
  const file = fileGetSchema.parse(await upload(large, 'file', '/v2/files'));
  assert.deepEqual([file.data, file.file_size], [null, 20_002]);
  const data = dataGetSchema.parse(await upload(large, 'data', '/v2/data/'));
  assert.deepEqual([data.hex_file.data, data.hex_file.file_size], [null, 20_002]);
  const text = async (path: string): Promise<string> => await (await it.request(path)).text();
  assert.ok((await text(`/v2/files/${file.id}?return_data=1`)).includes(large.toString('hex')));
  assert.equal(fileGetSchema.parse(JSON.parse(await text(`/v2/files/${file.id}?return_data=false`))).data, null);
  assert.ok((await text(`/v2/data/${data.id}?return_data=True`)).includes(large.toString('hex')));
  const small = fileGetSchema.parse(await upload(Buffer.from('80FF'), 'file', '/v2/files/'));
  assert.deepEqual([small.data, small.file_size], ['80ff', 4]);
  await detail(await it.request(`/v2/files/${file.id}?return_data=perhaps`), 400);
});

test('refuses a run whose data are no plain pickle, with the reason', async () => {
  // pickle.dumps(print, 2)
  const pickle = Buffer.from('80026362756c74696e730a7072696e740a71002e', 'hex');
  const form = new FormData();
  form.append('data', new Blob([pickle]), 'x');
  const data = dataGetSchema.parse(await (await it.request('/v2/data', { method: 'POST', body: form })).json());
  const body = await detail(await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data_id: data.id }), 400);
  assert.equal(body.code, 'invalid_pickle');
  assert.match(String(body.reason), /^forbidden_/);
});

test('logs neither prompts nor tokens', async () => {
  await run('a very private prompt', { response_length: 1 });
  await run('a very private prompt', { nonsense: 'a very private value' });
  assert.doesNotMatch(it.logLines.join(''), /private|test-token/);
});
