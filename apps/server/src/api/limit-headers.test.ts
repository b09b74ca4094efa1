/** Replies of metered routes show what the plan leaves; others do not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { users } from '../identity/identity-tables.ts';
import { FIRST_USER_ID } from '../identity/users/first-user.ts';
import { openPlanBook } from '../metering/plans/plan-book.ts';
import { openCountedAdmission } from '../metering/usage/counted-admission.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';

let it: TestApp;
before(async () => {
  const plans = await openPlanBook(null);
  it = await openTestApp({
    openAdmission: (db) =>
      openCountedAdmission({
        db,
        plans,
        servedModel: 'gptj-nano',
        clock: () => NOW,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
        sweepEveryMs: null,
      }),
  });
});
after(() => it.close());

const METERED: readonly (readonly [path: string, body: object])[] = [
  ['/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 4 }] }],
  ['/v1/completions', { prompt: 'hi', max_tokens: 4 }],
  ['/v1/completions', { prompt: 'hi', max_tokens: 4, stream: true }],
  ['/v1/engines/gpt-j-6b/completions', { prompt: 'hi', max_tokens: 4 }],
  ['/models/gpt-j-6b/v1/completions', { prompt: 'hi', max_tokens: 4 }],
  ['/models/gpt-j-6b', { inputs: 'hi', parameters: { max_new_tokens: 4 } }],
  ['/', { inputs: 'hi', parameters: { max_new_tokens: 4 } }],
  ['/generate', { inputs: 'hi', parameters: { max_new_tokens: 4 } }],
  ['/generate_stream', { inputs: 'hi', parameters: { max_new_tokens: 4 } }],
  ['/complete', { context: 'hi', response_length: 4 }],
];

const NAMES = ['limit', 'remaining', 'reset'].flatMap((what) =>
  ['requests', 'tokens'].map((of) => `x-ratelimit-${what}-${of}`),
);

const setPlan = (planId: string) => it.store.db.update(users).set({ planId }).where(eq(users.id, FIRST_USER_ID));

test('a plan without limits has no headers of limits', async () => {
  await setPlan('owner');
  const reply = await it.post('/v1/completions', { prompt: 'hi', max_tokens: 4 });
  assert.equal(reply.status, 200);
  assert.deepEqual(
    [...reply.headers.keys()].filter((name) => name.startsWith('x-ratelimit')),
    [],
  );
});

test('every route that generates counts down, refusals by a limit show none left, and other routes have no such headers', async () => {
  await setPlan('free');
  const limit = 20;
  let left = limit;
  for (const [path, body] of METERED) {
    const reply = await it.post(path, body);
    assert.equal(reply.status, 200, path);
    await reply.text();
    left--;
    const headers = Object.fromEntries(NAMES.map((name) => [name, reply.headers.get(name)]));
    assert.equal(headers['x-ratelimit-limit-requests'], String(limit), path);
    assert.equal(headers['x-ratelimit-remaining-requests'], String(left), path);
    assert.equal(headers['x-ratelimit-reset-requests'], '1m0s', path);
    assert.equal(headers['x-ratelimit-limit-tokens'], '20000', path);
    assert.ok(Number(headers['x-ratelimit-remaining-tokens']) < 20_000, path);
    assert.equal(headers['x-ratelimit-reset-tokens'], '20h55m55s', path);
  }
  while (left-- > 0) await (await it.post('/complete', { context: 'hi', response_length: 1 })).text();
  const refused = await it.post('/v1/completions', { prompt: 'hi', max_tokens: 4 });
  assert.deepEqual([refused.status, refused.headers.get('x-ratelimit-remaining-requests')], [429, '0']);
  assert.ok(refused.headers.get('retry-after'));
  const invalid = await it.post('/v1/completions', { prompt: 5 });
  assert.deepEqual([invalid.status, invalid.headers.get('x-ratelimit-limit-requests')], [400, null]);
  for (const path of ['/v2/limits', '/v1/models']) {
    assert.equal((await it.request(path)).headers.get('x-ratelimit-limit-requests'), null, path);
  }
});
