import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import { errorCountsGetSchema, GPTJ_PIPELINE_ID, latencyGetSchema } from '@gptj-cloud/protocol';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const run = async (parameters: object): Promise<string> =>
  await (await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', parameters] })).text();

test('counts the times of complete runs, failed runs and refused requests of every API', async () => {
  await run({ response_length: 1 });
  await run({ response_length: 2 });
  it.engine.failures.push(new ModelError('generation_timed_out', 'after 1 s'), new ModelError('cache_full', 'no room'));
  await run({ response_length: 1 });
  await run({ response_length: 1 });
  await run({ tempratur: 1 });
  await it.post('/v1/completions', { prompt: 'hi', tempratur: 1 });
  // Neither counts: one request has no project, the other generates nothing.
  await it.app.request('/v2/runs', { method: 'POST' });
  await it.request('/v2/runs/run_0');
  const errors = errorCountsGetSchema.parse(await (await it.request('/v2/metrics/errors?bucket=day')).json());
  assert.deepEqual(
    new Map(errors.total.map(({ code, count }) => [code, count])),
    new Map([
      ['invalid_parameter', 2],
      ['generation_timed_out', 1],
      ['unsatisfiable', 1],
    ]),
  );
  const latency = latencyGetSchema.parse(await (await it.request('/v2/metrics/latency')).json());
  assert.deepEqual(
    [latency.overall.queued.runs, latency.overall.first_token.runs, latency.overall.total.runs],
    [2, 2, 2],
  );
  assert.equal(latency.buckets.length, 1);
});
