import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID, runPageSchema } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../../identity/users/first-user.ts';
import { openTestApp } from '../../testing/test-app.ts';
import { until } from '../../testing/until.ts';

test('the reader of a run whose events are not kept ends when it is closed', async () => {
  const it = await openTestApp();
  try {
    it.engine.hold();
    const reply = it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: 2 }] });
    await until(() => it.engine.began === 1);
    const page = runPageSchema.parse(await (await it.request('/v2/runs')).json());
    const reader = await it.runs.events(DEFAULT_PROJECT_ID, page.data[0]?.id ?? '', null);
    const event = reader.next();
    reader.close();
    assert.equal(await event, null);
    it.engine.resume();
    await reply;
  } finally {
    await it.close();
  }
});
