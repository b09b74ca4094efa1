import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { createOpenAdmission } from '../testing/open-admission.ts';
import { openTestApp } from '../testing/test-app.ts';

test('a run that takes longer than its plan allows ends failed, and is charged for what was computed', async () => {
  const admission = createOpenAdmission(0, { generationMs: 60_000, runMs: 1 });
  const it = await openTestApp({ openAdmission: async () => admission });
  try {
    it.engine.hold();
    const body = { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 2 }] };
    const run = runGetSchema.parse(await (await it.post('/v2/runs', body)).json());
    assert.deepEqual([run.run_state, run.error], ['failed', 'unsatisfiable']);
    assert.match(run.error_info?.exception ?? '', /^generation_timed_out: the run took longer than 0\.001 s/);
    assert.deepEqual(
      admission.settled.map(({ promptTokens }) => promptTokens),
      [2],
    );
  } finally {
    await it.close();
  }
});
