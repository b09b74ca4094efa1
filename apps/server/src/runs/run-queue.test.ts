import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminRunPageSchema, GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { openCountedAdmission } from '../metering/usage/counted-admission.ts';
import { bookOf, planOf } from '../testing/plans.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp({
    queue: { running: 1, waiting: 1 },
    openAdmission: (db) =>
      openCountedAdmission({
        db,
        plans: bookOf(planOf('owner', { tokensPerDay: 40 })),
        servedModel: 'fake',
        clock: () => NOW,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
        sweepEveryMs: null,
      }),
  });
});
after(() => it.close());

test('shows the tokens that are reserved for an open run of a plan with limits', async () => {
  it.engine.hold();
  const data = ['four', { response_length: 6 }];
  const reply = await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data, async_run: true });
  assert.equal(reply.status, 202, await reply.clone().text());
  const page = adminRunPageSchema.parse(await (await it.request('/v2/admin/runs')).json());
  assert.deepEqual(
    page.data.map(({ reserved_tokens: reserved }) => reserved),
    [10],
  );
  it.engine.resume();
});
