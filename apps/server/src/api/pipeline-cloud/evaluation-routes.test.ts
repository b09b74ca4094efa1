import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type EvaluationCreate,
  type EvaluationGet,
  evaluationDocumentPageSchema,
  evaluationGetSchema,
  evaluationPageSchema,
  projectGetDetailedSchema,
  storageGetSchema,
} from '@gptj-cloud/protocol';
import { eq, sql } from 'drizzle-orm';
import { auditLog } from '../../audit/audit-tables.ts';
import { evaluationDocuments, evaluations } from '../../evaluations/evaluation-tables.ts';
import { type Browser, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { reportDocument, smallReport } from '../../testing/small-report.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

let it: TestApp;
before(async () => {
  let ms = NOW.getTime();
  it = await openTestApp({ clock: () => new Date(++ms) });
});
after(() => it.close());

const store = async (by: Browser, report: EvaluationCreate = smallReport()): Promise<EvaluationGet> => {
  const reply = await by.ask('/v2/evaluations', 'POST', report);
  assert.equal(reply.status, 201, await reply.clone().text());
  return evaluationGetSchema.parse(await reply.json());
};
const add = (by: Browser, id: string, documents: readonly unknown[], task = 0) =>
  by.ask(`/v2/evaluations/${id}/documents`, 'POST', { task, documents });
const documents = async (by: Browser, id: string, query = '') =>
  evaluationDocumentPageSchema.parse(await (await by.ask(`/v2/evaluations/${id}/documents?${query}`)).json());
const idsOf = async (by: Browser, id: string, query: string): Promise<readonly number[]> =>
  (await documents(by, id, query)).data.map((document) => document.id);
const stored = async (by: Browser) => {
  const { bytes, items } = storageGetSchema.parse(await (await by.ask('/v2/storage')).json());
  return { bytes: bytes.used, items: items.used };
};

test('stores a report in pieces, lists it, and counts all of it until it is deleted', async () => {
  const by = await registerAndSignIn(it, 'percy');
  const report = await store(by);
  assert.deepEqual([report.is_complete, report.tasks[0]?.received], [false, 0]);
  const some = evaluationGetSchema.parse(
    await (await add(by, report.id, [reportDocument(2), reportDocument(0)])).json(),
  );
  assert.deepEqual([some.is_complete, some.tasks[0]?.received], [false, 2]);
  const all = evaluationGetSchema.parse(await (await add(by, report.id, [reportDocument(1)])).json());
  assert.deepEqual([all.is_complete, all.tasks[0]?.received], [true, 3]);
  assert.deepEqual(await stored(by), { bytes: all.size, items: 1 });
  const page = evaluationPageSchema.parse(await (await by.ask('/v2/evaluations')).json());
  assert.deepEqual(page.data, [all]);
  const { margin, is_right, is_right_normalized, ...fields } = (await documents(by, report.id)).data[0]!;
  assert.deepEqual([fields, margin, is_right, is_right_normalized], [reportDocument(0), -1, false, true]);
  assert.equal((await by.ask(`/v2/evaluations/${report.id}`, 'DELETE')).status, 204);
  assert.equal(await refusal(await by.ask(`/v2/evaluations/${report.id}`)), '404 not_found');
  assert.deepEqual(await stored(by), { bytes: 0, items: 0 });
  assert.equal(await it.store.db.$count(evaluationDocuments, eq(evaluationDocuments.evaluationId, report.id)), 0);
});

test('takes a report and its documents again without storing them twice, also at the same time', async () => {
  const by = await registerAndSignIn(it, 'mary');
  const made = await Promise.all(Array.from({ length: 4 }, () => store(by)));
  assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  const { id } = made[0]!;
  const piece = [reportDocument(0), reportDocument(1), reportDocument(1)];
  const replies = await Promise.all(Array.from({ length: 4 }, () => add(by, id, piece)));
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  const again = await store(by, smallReport({ name: 'another name' }));
  assert.deepEqual([again.id, again.name, again.tasks[0]?.received], [id, 'nano', 2]);
  assert.deepEqual(await stored(by), { bytes: again.size, items: 1 });
  const other = smallReport({ limit: 2 });
  assert.equal(await refusal(await by.ask('/v2/evaluations', 'POST', other)), '409 conflict');
});

test('orders documents by margin, filters right and wrong ones, and pages through them', async () => {
  const by = await registerAndSignIn(it, 'lord');
  const { id } = await store(by, smallReport({}, 7));
  await add(by, id, [3, 1, 6, 0, 2, 5, 4].map(reportDocument));
  assert.deepEqual(await idsOf(by, id, ''), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await idsOf(by, id, 'order_by=margin:desc'), [6, 5, 4, 3, 2, 1, 0]);
  assert.deepEqual(await idsOf(by, id, 'is_right=false&order_by=margin:desc'), [1, 0]);
  assert.deepEqual(await idsOf(by, id, 'is_right=true&order_by=margin:asc'), [2, 3, 4, 5, 6]);
  assert.deepEqual(await idsOf(by, id, 'is_right=false&by=acc_norm'), []);
  const seen: number[] = [];
  for (let cursor: string | null | undefined = ''; typeof cursor === 'string'; ) {
    const page = await documents(by, id, `order_by=margin:asc&limit=3&cursor=${cursor}`);
    assert.equal(page.total, 7);
    seen.push(...page.data.map((document) => document.id));
    cursor = page.next_cursor;
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6]);
});

test('deleting a project deletes its evaluations with their documents', async () => {
  const by = await registerAndSignIn(it, 'shelley');
  const made = projectGetDetailedSchema.parse(
    await (await by.ask('/v2/projects', 'POST', { name: 'short-lived' })).json(),
  );
  const inProject = { 'x-project-id': made.id };
  const reply = await by.ask('/v2/evaluations', 'POST', smallReport(), inProject);
  const { id } = evaluationGetSchema.parse(await reply.json());
  const piece = { task: 0, documents: [reportDocument(0)] };
  assert.equal((await by.ask(`/v2/evaluations/${id}/documents`, 'POST', piece, inProject)).status, 200);
  const own = await store(by);
  const of = (evaluation: string) => eq(evaluationDocuments.evaluationId, evaluation);
  assert.equal(await it.store.db.$count(evaluationDocuments, of(id)), 1);
  assert.equal((await by.ask(`/v2/projects/${made.id}`, 'DELETE')).status, 204);
  assert.equal(await it.store.db.$count(evaluations, eq(evaluations.id, id)), 0);
  assert.equal(await it.store.db.$count(evaluationDocuments, of(id)), 0);
  assert.deepEqual(await stored(by), { bytes: own.size, items: 1 });
});

test('ends a page of documents with long texts early, and goes on behind it', async () => {
  const by = await registerAndSignIn(it, 'jim');
  const count = 50;
  const { id } = await store(by, smallReport({}, count));
  const long = { context: '\u6f22'.repeat(65_000), choices: [] };
  for (let at = 0; at < count; at += 5) {
    const piece = Array.from({ length: 5 }, (_, next) => ({ ...reportDocument(at + next), ...long }));
    assert.equal((await add(by, id, piece)).status, 200);
  }
  for (const path of ['documents?', `comparison/documents?other=${id}&`]) {
    const seen = new Set<number>();
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages++) {
      const text: string = await (await by.ask(`/v2/evaluations/${id}/${path}limit=100&cursor=${cursor}`)).text();
      assert.ok(Buffer.byteLength(text) <= 8 * 2 ** 20, `${Buffer.byteLength(text)} bytes`);
      const page: { data: { id: number }[]; next_cursor: string | null; total: number } = JSON.parse(text);
      assert.equal(page.total, count);
      for (const document of page.data) seen.add(document.id);
      cursor = page.next_cursor;
    }
    assert.equal(seen.size, count);
    assert.ok(pages > 1);
  }
});

test('ends a page of reports with many tasks early, and goes on behind it', async () => {
  const by = await registerAndSignIn(it, 'kim');
  const [task] = smallReport().tasks;
  const metrics = Array.from({ length: 16 }, (_, at) => ({
    metric: `m${at}`.padEnd(100, 'x'),
    value: 1 / 3,
    standard_error: 1 / 3,
  }));
  const tasks = Array.from({ length: 40 }, (_, at) => ({ ...task!, task: `t${at}`.padEnd(100, 'x'), metrics }));
  const count = 36;
  for (let at = 0; at < count; at++) await store(by, smallReport({ tasks, hash: String(at).padStart(64, '0') }));
  const seen = new Set<string>();
  let pages = 0;
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    const text: string = await (await by.ask(`/v2/evaluations?limit=100&cursor=${cursor}`)).text();
    assert.ok(Buffer.byteLength(text) <= 4.1 * 2 ** 20, `${Buffer.byteLength(text)} bytes`);
    const page: { data: { id: string }[]; next_cursor: string | null; total: number } = JSON.parse(text);
    assert.equal(page.total, count);
    for (const { id } of page.data) seen.add(id);
    cursor = page.next_cursor;
  }
  assert.equal(seen.size, count);
  assert.ok(pages > 1);
});

test('refuses what is not a bounded report', async () => {
  const by = await registerAndSignIn(it, 'eve');
  const [task] = smallReport().tasks;
  for (const bad of [
    { ...smallReport(), hash: 'A'.repeat(64) },
    { ...smallReport(), other: 1 },
    { ...smallReport(), name: 'a\u202eb' },
    { ...smallReport(), tasks: [] },
    { ...smallReport(), tasks: [task, task] },
    { ...smallReport(), tasks: Array.from({ length: 41 }, (_, at) => ({ ...task, task: `t${at}` })) },
    { ...smallReport(), tasks: [{ ...task, document_count: 1e9 }] },
    { ...smallReport(), tasks: [{ ...task, metrics: [{ metric: '<b>', value: 1, standard_error: null }] }] },
    { ...smallReport(), versions: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`v${at}`, '1'])) },
  ]) {
    assert.equal(await refusal(await by.ask('/v2/evaluations', 'POST', bad)), '400 invalid_request');
  }
  const { id } = await store(by);
  for (const bad of [
    [],
    [{ ...reportDocument(0), context: 'x'.repeat(70_000) }],
    [{ ...reportDocument(0), log_likelihoods: [1e300, 1] }],
    [{ ...reportDocument(0), log_likelihoods: [-1] }],
    [{ ...reportDocument(0), context: 'a\u0000b' }],
    [reportDocument(3)],
    Array.from({ length: 501 }, () => reportDocument(0)),
  ]) {
    assert.equal(await refusal(await add(by, id, bad)), '400 invalid_request', JSON.stringify(bad).slice(0, 80));
  }
  assert.equal(await refusal(await add(by, id, [reportDocument(0)], 1)), '400 invalid_request');
  assert.equal(
    await refusal(await add(by, id, [{ ...reportDocument(0), x: 'x'.repeat(1_100_000) }])),
    '413 body_too_large',
  );
  assert.equal((await documents(by, id)).total, 0);
});

test('records who stored and who deleted a report', async () => {
  const by = await registerAndSignIn(it, 'rita');
  const { id } = await store(by);
  await by.ask(`/v2/evaluations/${id}`, 'DELETE');
  const { action } = auditLog;
  const rows = await it.store.db.select({ action }).from(auditLog).where(eq(auditLog.subject, id)).orderBy(auditLog.id);
  assert.deepEqual(rows, [{ action: 'evaluation.create' }, { action: 'evaluation.delete' }]);
});

test('refuses a report and documents beyond the stored bytes of the plan', async () => {
  const by = await registerAndSignIn(it, 'uriah');
  const { id } = await store(by);
  await it.store.db.execute(sql`
    UPDATE project_storage SET bytes = 209715200 - 1 WHERE project_id = (SELECT project_id FROM evaluations WHERE id = ${id})`);
  assert.equal(await refusal(await add(by, id, [reportDocument(0)])), '413 storage_full');
  const other = smallReport({ hash: 'e'.repeat(64) });
  assert.equal(await refusal(await by.ask('/v2/evaluations', 'POST', other)), '413 storage_full');
  assert.equal((await documents(by, id)).total, 0);
});
