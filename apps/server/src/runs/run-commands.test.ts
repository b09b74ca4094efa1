import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';
import { until } from '../testing/until.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

test('an abandoned run that cannot be cancelled is logged with its id and the reason', async () => {
  const id = newId('run');
  it.runs.abandon(DEFAULT_PROJECT_ID, id);
  await until(() => it.logLines.length > 0);
  const { level, message, run_id, error } = JSON.parse(it.logLines[0] ?? '');
  assert.deepEqual(
    [level, message, run_id, error.code],
    ['error', 'abandoned run could not be cancelled and continues', id, 'not_found'],
  );
});
