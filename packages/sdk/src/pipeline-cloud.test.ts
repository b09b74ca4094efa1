import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AuthenticationError,
  ConflictError,
  ConnectionFailedError,
  InvalidRequestError,
  NotFoundError,
  PermissionDeniedError,
  PipelineApiError,
  PipelineCloud,
  QuotaExceededError,
  RateLimitedError,
  type Run,
  RunFailedError,
  ServerError,
  throwIfFailed,
  UnexpectedReplyError,
} from './index.ts';
import { FAILED, PIPELINE, RUN, replying, stub } from './testing/stub-fetch.ts';

async function refusalOf(body: unknown, init: ResponseInit): Promise<PipelineApiError> {
  const error: unknown = await replying(body, init)
    .api.runPipeline(PIPELINE, ['x', {}])
    .catch((cause: unknown) => cause);
  assert.ok(error instanceof PipelineApiError);
  return error;
}

test('runPipeline sends the data with the token and returns the run in camelCase', async () => {
  const { api, sent } = replying(RUN, { status: 201 });
  const run = await api.runPipeline(PIPELINE, ['I met', { response_length: 64, remove_input: false }]);
  assert.equal(sent[0]?.url, 'http://host:1/base/v2/runs');
  assert.equal(sent[0]?.method, 'POST');
  assert.equal(sent[0]?.headers.get('authorization'), 'Bearer API_TOKEN');
  assert.equal(sent[0]?.init.redirect, 'error');
  assert.deepEqual(sent[0]?.body, {
    pipeline_id: PIPELINE,
    data: ['I met', { response_length: 64, remove_input: false }],
  });
  const { raw, ...rest } = run;
  assert.deepEqual(raw, RUN);
  assert.deepEqual(rest, {
    id: 'run_1',
    runState: 'complete',
    createdAt: new Date(1648000000500),
    startedAt: new Date(1648000001000),
    endedAt: null,
    computeTimeMs: 1500,
    pipeline: { id: PIPELINE, name: 'gpt-j-6b' },
    resultPreview: [['two vast and trunkless legs']],
    result: { id: 'file_1', name: 'result' },
    error: null,
    errorInfo: null,
    warnings: [],
    finishReasons: null,
    usage: null,
    seed: null,
    timings: { queuedMs: null, firstTokenMs: null, computeMs: null },
    cost: null,
    tokenId: null,
    attempts: null,
  } satisfies Omit<Run, 'raw'>);
});

test('reads a reply with leading spaces in pieces that split characters', async () => {
  const bytes = new TextEncoder().encode(`   \n ${JSON.stringify({ ...RUN, result_preview: [['½ é 🦙']] })}`);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const run = await stub(() => new Response(body)).api.runPipeline(PIPELINE, ['Once', {}]);
  assert.deepEqual(run.resultPreview, [['½ é 🦙']]);
});

test('returns a failed run, for which throwIfFailed throws', async () => {
  const run = await replying(FAILED).api.runPipeline(PIPELINE, ['', {}]);
  assert.equal(run.errorInfo?.exception, 'Prompt must be a non-empty string.');
  assert.throws(
    () => throwIfFailed(run),
    (error) =>
      error instanceof RunFailedError &&
      error.run === run &&
      error.code === 'run_failed' &&
      error.message === 'run run_1 failed (pipeline_fault): Prompt must be a non-empty string.',
  );
});

test('eachRun yields the runs of every page, by cursor', async () => {
  const page = { skip: 1, limit: 1, total: 9 };
  const replies = [
    { ...page, data: [RUN], next_cursor: '9.1.run_1' },
    { ...page, data: [FAILED], next_cursor: null },
  ];
  const { api, sent } = stub(() => new Response(JSON.stringify(replies.shift())));
  const states: string[] = [];
  for await (const run of api.eachRun({ skip: 1, limit: 1 })) states.push(run.runState);
  assert.deepEqual(states, ['complete', 'failed']);
  assert.deepEqual(
    sent.map(({ url }) => new URL(url).search),
    ['?limit=1&skip=1&order_by=created_at%3Adesc', '?limit=1&skip=0&order_by=created_at%3Adesc&cursor=9.1.run_1'],
  );
});

test('getRun, listRuns and downloadResult send the requests of the 2022 clients', async () => {
  const one = replying(RUN);
  const run = await one.api.getRun('run_1/../x');
  assert.equal(one.sent[0]?.url, 'http://host:1/base/v2/runs/run_1%2F..%2Fx');

  const many = replying({ skip: 1, limit: 2, total: 9, data: [RUN, FAILED] });
  const page = await many.api.listRuns({ skip: 1, limit: 2 });
  assert.equal(many.sent[0]?.url, 'http://host:1/base/v2/runs?limit=2&skip=1&order_by=created_at%3Adesc');
  assert.deepEqual([page.total, page.items.map(({ runState }) => runState)], [9, ['complete', 'failed']]);

  const file = replying({ id: 'file_1', data: '8002fF2e' });
  assert.deepEqual(await file.api.downloadResult(run), Uint8Array.of(0x80, 0x02, 0xff, 0x2e));
  assert.equal(file.sent[0]?.url, 'http://host:1/base/v2/files/file_1?return_data=true');
  await assert.rejects(replying({ data: '8' }).api.downloadResult(run), UnexpectedReplyError);
  await assert.rejects(file.api.downloadResult(await replying(FAILED).api.getRun('x')), RunFailedError);
});

test('throws one error class per status, with the message, code and request id of the reply', async () => {
  const classes = [
    [400, InvalidRequestError],
    [401, AuthenticationError],
    [402, QuotaExceededError],
    [403, PermissionDeniedError],
    [404, NotFoundError],
    [405, PipelineApiError],
    [409, ConflictError],
    [422, InvalidRequestError],
    [429, RateLimitedError],
    [500, ServerError],
    [503, ServerError],
  ] as const;
  for (const [status, kind] of classes) {
    const detail = { message: 'no', code: 'some_code', remedy: 'do this', request_id: 'r2' };
    const error = await refusalOf({ detail }, { status, headers: { 'x-request-id': 'r1' } });
    assert.equal(error.constructor, kind);
    assert.deepEqual(
      [error.status, error.code, error.requestId, error.message],
      [status, 'some_code', 'r2', `${status}: no (do this)`],
    );
  }
});

test('keeps the message of error replies of every form', async () => {
  const status = 401;
  const cases: readonly (readonly [unknown, string])[] = [
    [{ detail: 'Token not provided' }, '401: Token not provided'],
    [{ detail: [{ loc: ['body', 'data'], msg: 'missing' }] }, '401: body->data: missing'],
    ['<html>\n\n  Sign in', '401: <html> Sign in'],
    [{}, '401: Unauthorized'],
    ['', '401: Unauthorized'],
  ];
  for (const [body, message] of cases) {
    const error = await refusalOf(body, { status, statusText: 'Unauthorized', headers: { 'x-request-id': 'r1' } });
    assert.deepEqual([error.message, error.code, error.requestId], [message, 'authentication', 'r1']);
  }
  assert.ok((await refusalOf('x'.repeat(9999), { status })).message.length < 250);
});

test('names every invalid parameter once', async () => {
  const errors = [
    { parameter: 'top_p', error: 'too large' },
    { parameter: 'top_k', error: 'negative' },
  ];
  const message = '2 errors in request: top_p: too large; top_k: negative';
  const error = await refusalOf({ detail: { message, parameters: ['top_p'], errors } }, { status: 400 });
  assert.ok(error instanceof InvalidRequestError);
  assert.deepEqual(error.parameters, ['top_p', 'top_k']);
  assert.equal(error.message, `400: ${message}`);
});

test('gives the delay of Retry-After for a full queue', async () => {
  const after = async (value: string): Promise<number | null> => {
    const error = await refusalOf({}, { status: 429, headers: { 'retry-after': value } });
    assert.ok(error instanceof RateLimitedError);
    return error.retryAfterMs;
  };
  assert.equal(await after('7'), 7000);
  assert.equal(await after('Wed, 21 Oct 2015 07:28:00 GMT'), 0);
  assert.equal(await after('soon'), null);
});

test('gives the numbers of the quota when the plan refuses', async () => {
  const limited = await refusalOf(
    { detail: { message: 'slow down', retry_after_ms: 1234 } },
    { status: 429, headers: { 'retry-after': '2' } },
  );
  assert.ok(limited instanceof RateLimitedError);
  assert.equal(limited.retryAfterMs, 1234);
  const detail = {
    message: 'no',
    limit: 100,
    used: 60,
    reserved: 30,
    requested: 20,
    resets_at: '2026-01-02T00:00:00Z',
  };
  const quota = await refusalOf({ detail }, { status: 402, headers: { 'retry-after': '60' } });
  assert.ok(quota instanceof QuotaExceededError);
  assert.deepEqual(
    [quota.limit, quota.used, quota.reserved, quota.requested, quota.resetsAt?.getTime(), quota.retryAfterMs],
    [100, 60, 30, 20, Date.UTC(2026, 0, 2), 60_000],
  );
  const plan = await refusalOf({ detail: { message: 'no', plans: ['Developer', 'Premium'] } }, { status: 403 });
  assert.ok(plan instanceof PermissionDeniedError);
  assert.deepEqual(plan.plans, ['Developer', 'Premium']);
});

test('throws UnexpectedReplyError with the field for a reply that is not of this API', async () => {
  for (const body of [
    '<html>',
    '',
    [1],
    { alive: true },
    { ...RUN, run_state: 'queued' },
    { ...RUN, created_at: 'x' },
  ]) {
    await assert.rejects(replying(body).api.getRun('run_1'), UnexpectedReplyError);
  }
  await assert.rejects(replying({ ...RUN, run_state: 'queued' }).api.getRun('x'), /run_state .* got "queued"/);
});

test('throws ConnectionFailedError with the reason of a network error', async () => {
  const refused = stub(() => {
    throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') });
  });
  await assert.rejects(
    refused.api.getRun('x'),
    (error) => error instanceof ConnectionFailedError && error.message.endsWith('connect ECONNREFUSED 127.0.0.1:1'),
  );
  const cut = stub(() => new Response(new ReadableStream({ start: (c) => c.error(new TypeError('terminated')) })));
  await assert.rejects(cut.api.getRun('x'), ConnectionFailedError);
});

test('refuses data without a JSON form before it sends a request', async () => {
  const { api, sent } = replying(RUN);
  const unchecked: readonly unknown[] = ['x', { top_k: 10n }];
  await assert.rejects(api.runPipeline(PIPELINE, unchecked), TypeError);
  assert.equal(sent.length, 0);
});

test('rejects an aborted call with the reason of the signal', async () => {
  const never = stub(
    ({ init }) =>
      new Promise((_, reject) => {
        init.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      }),
  );
  const controller = new AbortController();
  const call = never.api.runPipeline(PIPELINE, ['Once', {}], { signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  await assert.rejects(never.api.getRun('x', { signal: controller.signal }), (error) => error === reason);
  assert.equal(never.sent.length, 1);
});

test('ends a call when the server is silent for longer than the time limit', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let pieces: ReadableStreamDefaultController<Uint8Array> | undefined;
  const { promise: asked, resolve: onAsked } = withResolvers();
  const api = new PipelineCloud({
    token: 't',
    timeoutMs: 1000,
    maxRetries: 0,
    fetch: async (_, init) => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          pieces = controller;
          init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
        },
        pull: onAsked,
      });
      return new Response(body);
    },
  });
  const call = api.getRun('run_1');
  await asked;
  for (let blank = 0; blank < 5; blank++) {
    t.mock.timers.tick(900);
    pieces?.enqueue(Uint8Array.of(0x20));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.mock.timers.tick(1001);
  await assert.rejects(
    call,
    (error) => error instanceof ConnectionFailedError && /silent for 1000 ms/.test(error.message),
  );
});

test('refuses invalid addresses and tokens in the constructor', () => {
  for (const url of ['API_TOKEN', 'ftp://x', 'http://user:pw@x', 'http://x/?a=b']) {
    assert.throws(() => new PipelineCloud({ token: 't', url }), TypeError);
  }
  for (const token of ['', 'a b', 'a\nb', 'é']) assert.throws(() => new PipelineCloud({ token }), TypeError);
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test('in a page of another origin a failed fetch names the setting that allows the page', async (t) => {
  const page = { location: { origin: 'https://page.example' }, document: {} };
  for (const [name, value] of Object.entries(page)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => Reflect.deleteProperty(globalThis, name));
  }
  const failing = async (): Promise<Response> => {
    throw new TypeError('Failed to fetch');
  };
  const other = new PipelineCloud({ token: 't', url: 'http://host:1', maxRetries: 0, fetch: failing });
  await assert.rejects(other.getRun('x'), {
    name: 'ConnectionFailedError',
    message: /Failed to fetch; if the server runs, set its CORS_ORIGINS to include https:\/\/page\.example$/,
  });
  const own = new PipelineCloud({ token: 't', url: 'https://page.example', maxRetries: 0, fetch: failing });
  await assert.rejects(own.getRun('x'), { message: /Failed to fetch$/ });
});
