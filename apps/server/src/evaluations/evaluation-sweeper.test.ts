import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { evaluationGetSchema, storageGetSchema } from '@gptj-cloud/protocol';
import { createLogger } from '../telemetry/logger.ts';
import { type Browser, registerAndSignIn } from '../testing/browser.ts';
import { reportDocument, smallReport } from '../testing/small-report.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';
import { createEvaluationSweeper } from './evaluation-sweeper.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const sweepAt = async (days: number): Promise<number> => {
  const clock = (): Date => new Date(NOW.getTime() + days * 86_400_000);
  const sweeper = createEvaluationSweeper({ db: it.store.db, logger: createLogger(() => {}, clock), clock });
  try {
    return await sweeper.sweep();
  } finally {
    await sweeper.close();
  }
};
const store = async (by: Browser, at: number, documents: number): Promise<string> => {
  const report = smallReport({ hash: String(at).padStart(64, '0') }, 2);
  const { id } = evaluationGetSchema.parse(await (await by.ask('/v2/evaluations', 'POST', report)).json());
  for (let each = 0; each < documents; each++) {
    await by.ask(`/v2/evaluations/${id}/documents`, 'POST', { task: 0, documents: [reportDocument(each)] });
  }
  return id;
};

test('removes uploads that were not ended within a day, and no stored evaluation', async () => {
  const by = await registerAndSignIn(it, 'percy');
  const whole: string[] = [];
  const partial: string[] = [];
  // More than one batch.
  for (let at = 0; at < 26; at++) (at % 2 === 0 ? whole : partial).push(await store(by, at, at % 2 === 0 ? 2 : 1));
  assert.equal(await sweepAt(0.99), 0);
  assert.equal(await sweepAt(1.01), partial.length);
  assert.equal(await sweepAt(1000), 0);
  const status = async (id: string): Promise<number> => (await by.ask(`/v2/evaluations/${id}`)).status;
  assert.deepEqual(
    await Promise.all(partial.map(status)),
    partial.map(() => 404),
  );
  assert.deepEqual(
    await Promise.all(whole.map(status)),
    whole.map(() => 200),
  );
  const { items } = storageGetSchema.parse(await (await by.ask('/v2/storage')).json());
  assert.equal(items.used, whole.length);
});
