import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import { readPickle } from '@gptj-cloud/pickle';
import {
  GPTJ_PIPELINE_ID,
  parseRunEvent,
  type RunEvent,
  type RunGet,
  runGetSchema,
  runPageSchema,
} from '@gptj-cloud/protocol';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { until } from '../../testing/until.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());
afterEach(() => it.engine.resume());

const BODY = { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 2 }] };
const post = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
  it.request('/v2/runs', { method: 'POST', body: JSON.stringify(body), headers });
const run = async (reply: Response): Promise<RunGet> => runGetSchema.parse(await reply.json());
const find = async (id: string): Promise<RunGet> => run(await it.request(`/v2/runs/${id}`));
const code = async (reply: Response): Promise<unknown> => {
  const body: unknown = await reply.json();
  assert.ok(typeof body === 'object' && body !== null && 'detail' in body, JSON.stringify(body));
  return Reflect.get(Object(body.detail), 'code');
};

interface Received {
  readonly id: string;
  readonly event: RunEvent;
}

/** The events of a stream, parsed from its bytes. */
async function* received(reply: Response): AsyncGenerator<Received> {
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/);
  let text = '';
  for await (const chunk of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(chunk);
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      if (block.startsWith(':')) continue;
      const [, id, type, data] = /^id: (\S+)\nevent: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      const event = parseRunEvent(type ?? '', JSON.parse(data ?? ''));
      assert.ok(event !== null, block);
      yield { id: id ?? '', event };
    }
  }
}

async function all(reply: Response): Promise<readonly Received[]> {
  const events: Received[] = [];
  for await (const event of received(reply)) events.push(event);
  return events;
}

const brief = ({ event }: Received): string =>
  event.type === 'run'
    ? event.run.run_state
    : event.type === 'token'
      ? event.text
      : event.type === 'beams'
        ? 'beams'
        : event.code;

test('returns the stored run at its beginning and its end', async () => {
  // Its input is a file too large to be included by default.
  const large = { response_length: 2, bad_words_ids: Array.from({ length: 4000 }, (_, id) => [id]) };
  it.engine.failures.push(new ModelError('cache_full', 'no room'));
  const failed = await run(await post(BODY));
  assert.deepEqual([failed.run_state, failed.error === null], ['failed', false]);
  const again = {
    pipeline_id: GPTJ_PIPELINE_ID,
    data_id: failed.data.id,
    compute_requirements: { min_gpu_vram_mb: 1 },
  };
  const returned = [failed, await run(await post(again)), await run(await post({ ...BODY, data: ['hi', large] }))];
  assert.equal(returned[2]?.data.hex_file.data, null);
  for (const one of returned) assert.deepEqual(await find(one.id), one);

  // Three at once, where two run: one comes from the queue.
  const bodies = [BODY, BODY, BODY].map((body) => ({ ...body, stream: true }));
  for (const events of await Promise.all(bodies.map(async (body) => await all(await post(body))))) {
    const [first, last] = [events[0]?.event, events.at(-1)?.event];
    assert.ok(first?.type === 'run' && last?.type === 'run');
    assert.deepEqual(await find(last.run.id), last.run);
    const { data, created_at: createdAt, runnable } = last.run;
    assert.deepEqual([first.run.data, first.run.created_at, first.run.runnable], [data, createdAt, runnable]);
    assert.deepEqual([first.run.ended_at, first.run.result, first.run.result_preview], [null, null, null]);
  }
});

test('streams the run, its tokens and its end', async () => {
  const events = await all(await post({ ...BODY, stream: true }));
  assert.deepEqual(events.map(brief), ['running', 'x', 'x', 'complete']);
  assert.deepEqual(
    events.map(({ id }) => id.replace(/^.*-/, '')),
    ['1', '2', '3', '4'],
  );
  const last = events.at(-1)?.event;
  assert.ok(last?.type === 'run');
  assert.deepEqual(last.run.result_preview, [['xx']]);
  assert.deepEqual(last.run.usage, { prompt_tokens: 2, generated_tokens: 2, computed_tokens: 4, cached_tokens: 0 });
  assert.deepEqual(last.run.finish_reasons, ['length']);
});

test('refuses an invalid request for a stream like any other', async () => {
  const reply = await post({ ...BODY, data: ['hi', { tempratur: 1 }], stream: true });
  assert.equal(reply.status, 400);
  assert.equal(await code(reply), 'invalid_parameter');
});

test('warns of parameters without effect', async () => {
  const reply = await run(await post({ ...BODY, data: ['hi', { response_length: 1, do_sample: false, top_p: 0.5 }] }));
  assert.match(reply.warnings?.join() ?? '', /^top_p is ignored/);
});

test('resumes the events of a run after Last-Event-ID, while it runs and after its end', async () => {
  it.engine.hold();
  const { id } = await run(await post({ ...BODY, async_run: true }));
  const events = (after: string): Promise<readonly Received[]> =>
    it.request(`/v2/runs/${id}/events`, { headers: { 'last-event-id': after } }).then(all);
  const live = events('');
  it.engine.resume();
  const seen = await live;
  assert.deepEqual(seen.map(brief), ['running', 'x', 'x', 'complete']);
  assert.deepEqual(await events(seen[2]?.id ?? ''), seen.slice(3));
  assert.deepEqual(await events(seen[3]?.id ?? ''), []);
  // An event id of a server process that has died: its events are void.
  assert.deepEqual(await events('1234abcd-3'), seen);
  const other = await run(await post(BODY));
  assert.deepEqual((await all(await it.request(`/v2/runs/${other.id}/events`))).map(brief), ['complete']);
  assert.equal((await it.request('/v2/runs/run_x/events')).status, 404);
});

test('cancels a run whose streaming client disconnects, unless it has async_run', async () => {
  for (const isAsync of [false, true]) {
    it.engine.hold();
    let id = '';
    for await (const { event } of received(await post({ ...BODY, stream: true, async_run: isAsync }))) {
      assert.ok(event.type === 'run');
      id = event.run.id;
      // Leaving the loop cancels the body.
      break;
    }
    if (isAsync) it.engine.resume();
    await until(async () => (await find(id)).ended_at !== null);
    const ended = await find(id);
    assert.equal(ended.run_state, isAsync ? 'complete' : 'failed');
    if (!isAsync) assert.match(ended.error_info?.exception ?? '', /cancelled/);
  }
});

test('restarts a run in its stream, with an event, when the engine dies', async () => {
  const died = (): ModelError => new ModelError('engine_failed', 'the engine process ended');
  it.engine.lateFailures.push(died());
  const events = await all(await post({ ...BODY, stream: true }));
  assert.deepEqual(events.map(brief), ['running', 'x', 'x', 'running', 'x', 'x', 'complete']);
});

test('an asynchronous run returns immediately and can be polled until it has ended', async () => {
  it.engine.hold();
  const reply = await post({ ...BODY, async_run: true });
  assert.equal(reply.status, 202);
  const accepted = await run(reply);
  assert.equal(accepted.ended_at, null);
  assert.equal(accepted.result_preview, null);
  it.engine.resume();
  await until(async () => (await find(accepted.id)).run_state === 'complete');
});

test('returns the same run for the same idempotency key and body, and refuses another body', async () => {
  const headers = { 'idempotency-key': 'key-1' };
  it.engine.hold();
  const began = it.engine.began;
  const first = post(BODY, headers);
  await until(() => it.engine.began === began + 1);
  const second = post({ ...BODY, stream: false }, headers);
  it.engine.resume();
  const [one, two] = [await run(await first), await run(await second)];
  assert.deepEqual(two, one);
  assert.equal(it.engine.began, began + 1);
  assert.equal((await run(await post(BODY, headers))).id, one.id);
  const other = await post({ ...BODY, data: ['ho', {}] }, headers);
  assert.deepEqual([other.status, await code(other)], [409, 'idempotency_key_reused']);
  assert.equal((await post(BODY, { 'idempotency-key': '' })).status, 400);
});

test('cancels an executing and a waiting run, and leaves an ended one as it is', async () => {
  it.engine.hold();
  const began = it.engine.began;
  const accepted: RunGet[] = [];
  for (let i = 0; i < 3; i++) accepted.push(await run(await post({ ...BODY, async_run: true })));
  await until(() => it.engine.began === began + 2);
  const cancel = (id: string): Promise<Response> => it.request(`/v2/runs/${id}/cancel`, { method: 'POST' });
  const [executing, , waiting] = accepted.map(({ id }) => id);
  assert.equal((await find(waiting ?? '')).run_state, 'received');
  const [tickets, settled] = [it.admission.cancelled.length, it.admission.settled.length];
  for (const id of [waiting, executing]) {
    const cancelled = await run(await cancel(id ?? ''));
    assert.deepEqual([cancelled.run_state, cancelled.error], ['failed', 'pipeline_fault']);
    assert.deepEqual(await run(await cancel(id ?? '')), cancelled);
  }
  // The run that had begun costs its prompt.
  assert.equal(it.admission.cancelled.length, tickets + 1);
  assert.deepEqual(
    it.admission.settled.slice(settled).map(({ promptTokens, generatedTokens }) => [promptTokens, generatedTokens]),
    [[2, 0]],
  );
  assert.equal((await cancel('run_x')).status, 404);
});

test('deletes an ended run with its data and result', async () => {
  it.engine.hold();
  const { id } = await run(await post({ ...BODY, async_run: true }));
  const remove = (): Promise<Response> => it.request(`/v2/runs/${id}`, { method: 'DELETE' });
  const refused = await remove();
  assert.deepEqual([refused.status, await code(refused)], [409, 'run_not_ended']);
  it.engine.resume();
  await until(async () => (await find(id)).ended_at !== null);
  const ended = await find(id);
  assert.equal((await remove()).status, 204);
  for (const path of [`/v2/runs/${id}`, `/v2/files/${ended.result?.id}`, `/v2/data/${ended.data.id}`]) {
    assert.equal((await it.request(path)).status, 404, path);
  }
});

test('filters lists by state and pipeline', async () => {
  const total = async (query: string): Promise<number> =>
    runPageSchema.parse(await (await it.request(`/v2/runs?${query}`)).json()).total;
  assert.equal((await run(await post(BODY))).run_state, 'complete');
  assert.ok((await total('run_state=complete')) > 0);
  assert.equal(await total(`pipeline_id=${GPTJ_PIPELINE_ID}&run_state=`), await total(''));
  assert.equal(await total('pipeline_id=other'), 0);
  assert.equal((await it.request('/v2/runs?run_state=cancelled')).status, 400);
});

test('keeps the Python types of inline data: a float stays a float', async () => {
  const data = ['hi', { response_length: 1, temperature: 1.0, do_sample: true }];
  const body = JSON.stringify({ ...BODY, data }).replace('"temperature":1', '"temperature":1.0');
  const reply = await run(await it.request('/v2/runs', { method: 'POST', body }));
  const parameters = new Map<string, unknown>([
    ['response_length', 1n],
    ['temperature', 1],
    ['do_sample', true],
  ]);
  assert.deepEqual(readPickle(Buffer.from(reply.data.hex_file.data ?? '', 'hex')), ['hi', parameters]);
});

test('settles the cost of a run once, also when it was tried twice', async () => {
  const settled = it.admission.settled.length;
  it.engine.failures.push(new ModelError('engine_failed', 'the engine process ended'));
  assert.equal((await run(await post(BODY))).run_state, 'complete');
  assert.deepEqual(
    it.admission.settled.slice(settled).map(({ generatedTokens }) => generatedTokens),
    [2],
  );
});

test('counts accepted runs once, and ended runs by state and error', async () => {
  const counts = async (): Promise<ReadonlyMap<string, number>> => {
    const page = await (await it.request('/metrics')).text();
    return new Map(
      [...page.matchAll(/^gptj_runs_(\S+) (\d+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
    );
  };
  const before = await counts();
  const headers = { 'idempotency-key': 'counted-once' };
  for (let i = 0; i < 2; i++) assert.equal((await post(BODY, headers)).status, 200);
  assert.equal((await post({ ...BODY, data: ['hi', { response_length: -1 }] })).status, 400);
  it.engine.failures.push(new Error('broken'), new ModelError('cache_full', 'too much'));
  for (let i = 0; i < 2; i++) assert.equal((await run(await post(BODY))).run_state, 'failed');
  const died = (): ModelError => new ModelError('engine_failed', 'the engine process ended');
  it.engine.failures.push(died(), died());
  assert.equal((await run(await post(BODY))).error, 'max_retries');
  it.engine.hold();
  const { id } = await run(await post({ ...BODY, async_run: true }));
  const cancel = (): Promise<Response> => it.request(`/v2/runs/${id}/cancel`, { method: 'POST' });
  await Promise.all([cancel(), cancel()]);
  const after = await counts();
  assert.deepEqual(
    [...after].map(([name, value]) => [name, value - (before.get(name) ?? Number.NaN)]),
    [
      ['accepted_total', 5],
      ['ended_total{state="complete",error="none"}', 1],
      ['ended_total{state="failed",error="max_retries"}', 1],
      ['ended_total{state="failed",error="pipeline_fault"}', 2],
      ['ended_total{state="failed",error="unsatisfiable"}', 1],
      ['open{state="received"}', 0],
      ['open{state="running"}', 0],
    ],
  );
});
