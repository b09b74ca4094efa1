import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidRequestError, PipelineApiError, type Run, RunClient, RunFailedError, textsOf } from './index.ts';
import { eventStream, FAILED, PIPELINE, RUN, RUNNING, replying, stub } from './testing/stub-fetch.ts';

const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });

test('generate returns the first text of a run of GPT-J with the parameters', async () => {
  const { api, sent } = replying({ ...RUN, result_preview: [['one', 'two']] });
  assert.equal(await api.generate('Once', { max_new_tokens: 2 }), 'one');
  assert.deepEqual(sent[0]?.body, { pipeline_id: PIPELINE, data: ['Once', { max_new_tokens: 2 }] });
  await api.generate([1, 2], undefined, { pipelineId: 'me/story:v1', idempotencyKey: 'k' });
  assert.deepEqual(sent[1]?.body, { pipeline_id: 'me/story:v1', data: [[1, 2], {}] });
  assert.equal(sent[1]?.headers.get('idempotency-key'), 'k');
});

test('generate reads the text of a dict, and rejects for a failed run and a refused parameter', async () => {
  const dict = { texts: ['in a dict'], sequences: [[1]], finish_reasons: ['eos'] };
  assert.equal(await replying({ ...RUN, result_preview: [dict] }).api.generate('x'), 'in a dict');
  await assert.rejects(replying(FAILED).api.generate('x'), RunFailedError);
  const refusal = { detail: { code: 'invalid_parameter', message: 'top_k: expected an integer' } };
  await assert.rejects(replying(refusal, { status: 400 }).api.generate('x', { top_k: 0.5 }), InvalidRequestError);
});

test('stream gives the text in pieces', async () => {
  const token = (text: string) => ({ index: 0, text, tokens: [1] });
  const { api, sent } = stub(() =>
    eventStream([
      ['1', 'run', RUNNING],
      ['2', 'token', token('a ')],
      ['3', 'token', token('b')],
      ['4', 'run', RUN],
    ]),
  );
  const pieces: string[] = [];
  for await (const piece of api.stream('Once', { seed: 1 })) pieces.push(piece);
  assert.deepEqual(pieces, ['a ', 'b']);
  assert.deepEqual(sent[0]?.body, {
    pipeline_id: PIPELINE,
    data: ['Once', { seed: 1 }],
    stream: true,
    async_run: false,
  });
});

test('textsOf says why a run has no texts', async () => {
  const running = await replying(RUNNING).api.getRun('run_1');
  assert.throws(() => textsOf(running), /run_1 has no texts here: it is running; use waitForRun/);
  const large = await replying({ ...RUN, result_preview: null }).api.getRun('run_1');
  assert.throws(() => textsOf(large), { code: 'no_result', message: /too large/ });
  assert.throws(() => textsOf(large), PipelineApiError);
});

test('a result of another form is refused', async () => {
  for (const result_preview of [[], [[]], [[7]], [{}], ['text']]) {
    await assert.rejects(replying({ ...RUN, result_preview }).api.getRun('run_1'), { name: 'UnexpectedReplyError' });
  }
});

test('every call that takes the id of a run takes the run as well', async () => {
  const run: Run = await replying(RUN).api.getRun('run_1');
  const { api, sent } = replying(RUN);
  await api.getRun(run);
  await api.waitForRun(run);
  await api.cancelRun(run);
  await api.deleteRun(run);
  assert.deepEqual(
    sent.map(({ url }) => new URL(url).pathname),
    ['/base/v2/runs/run_1', '/base/v2/runs/run_1', '/base/v2/runs/run_1/cancel', '/base/v2/runs/run_1'],
  );
  const noRun: unknown = {};
  await assert.rejects(api.getRun(noRun as Run), /expected a run or its id, got \{\}/);
  await assert.rejects(api.getRun(''), TypeError);
});

test('aborting a call with cancelOnAbort cancels its run before it rejects', async () => {
  const leaving = new AbortController();
  const reason = new Error('enough');
  const { api, sent } = stub(({ method, url, init }) => {
    if (url.endsWith('/cancel')) return json(FAILED);
    if (method === 'POST') return json(RUNNING, 202);
    leaving.abort(reason);
    return new Promise((_, reject) => {
      const stop = () => reject(init.signal?.reason);
      if (init.signal?.aborted) stop();
      else init.signal?.addEventListener('abort', stop);
    });
  });
  const call = api.generate('Once', {}, { cancelOnAbort: true, signal: leaving.signal });
  await assert.rejects(call, (error) => error === reason);
  assert.deepEqual(
    sent.map(({ method, url }) => `${method} ${new URL(url).pathname}`),
    ['POST /base/v2/runs', 'GET /base/v2/runs/run_1/events', 'POST /base/v2/runs/run_1/cancel'],
  );
  assert.deepEqual(sent[0]?.body, { pipeline_id: PIPELINE, data: ['Once', {}], async_run: true });
});

test('an abort while the run is being started cancels it as soon as its id is known', async () => {
  const leaving = new AbortController();
  const { api, sent } = stub(({ url }) => {
    if (url.endsWith('/cancel')) return json(FAILED);
    leaving.abort();
    return json(RUNNING, 202);
  });
  await assert.rejects(api.runPipeline(PIPELINE, ['Once', {}], { cancelOnAbort: true, signal: leaving.signal }), {
    name: 'AbortError',
  });
  assert.equal(sent.at(-1)?.url.endsWith('/v2/runs/run_1/cancel'), true);
  assert.equal(sent.length, 2);
});

test('a call with cancelOnAbort that is not aborted returns the end of its run', async () => {
  const { api } = stub(({ method }) =>
    method === 'POST'
      ? json(RUNNING, 202)
      : eventStream([
          ['1', 'run', RUNNING],
          ['2', 'run', RUN],
        ]),
  );
  const options = { cancelOnAbort: true, signal: new AbortController().signal };
  assert.equal((await api.runPipeline(PIPELINE, ['Once', {}], options)).runState, 'complete');
});

test('waitForRun with cancelOnAbort cancels the run, also when the cancellation fails', async () => {
  const leaving = new AbortController();
  const { api, sent } = stub(({ url }) => {
    if (url.endsWith('/cancel')) return json({ detail: 'gone' }, 500);
    leaving.abort();
    return json(RUNNING);
  });
  await assert.rejects(api.waitForRun('run_1', { cancelOnAbort: true, signal: leaving.signal }), {
    name: 'AbortError',
  });
  assert.equal(sent.at(-1)?.method, 'POST');
});

test('the client of runs alone generates text with a token, and refuses a session', async () => {
  const fetch = async (): Promise<Response> => json({ ...RUN, result_preview: [['one']] });
  assert.equal(await new RunClient({ token: 't', url: 'http://host:1', fetch }).generate('Once'), 'one');
  assert.throws(() => new RunClient({ session: true, url: 'http://host:1' }), /expected a token/);
});
