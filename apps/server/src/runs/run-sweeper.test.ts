import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { createLogger } from '../telemetry/logger.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';
import { createRunSweeper } from './run-sweeper.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const sweepAt = async (days: number, retentionDays: number): Promise<number> => {
  const clock = (): Date => new Date(NOW.getTime() + days * 86_400_000);
  const sweeper = createRunSweeper({ db: it.store.db, logger: createLogger(() => {}, clock), clock, retentionDays });
  try {
    return await sweeper.sweep();
  } finally {
    await sweeper.close();
  }
};

test('ended runs are removed after the retention, with data and result; others stay', async () => {
  const post = async (extra: object) =>
    runGetSchema.parse(
      await (
        await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 1 }], ...extra })
      ).json(),
    );
  const ended = await post({});
  it.engine.hold();
  const open = await post({ async_run: true });
  const status = async (path: string): Promise<number> => (await it.request(path)).status;
  assert.equal(await sweepAt(1000, 0), 0);
  assert.equal(await sweepAt(6.9, 7), 0);
  assert.equal(await status(`/v2/runs/${ended.id}`), 200);
  assert.equal(await sweepAt(7.1, 7), 1);
  for (const path of [`/v2/runs/${ended.id}`, `/v2/data/${ended.data.id}`, `/v2/files/${ended.result?.id}`]) {
    assert.equal(await status(path), 404, path);
  }
  assert.deepEqual([await status(`/v2/runs/${open.id}`), await status(`/v2/data/${open.data.id}`)], [200, 200]);
  it.engine.resume();
});
