import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ApiError,
  documentChangePageSchema,
  type EvaluationCreate,
  type EvaluationPiece,
  evaluationComparisonSchema,
  evaluationGetSchema,
} from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { createEvaluationService } from '../../evaluations/evaluation-service.ts';
import { evaluations } from '../../evaluations/evaluation-tables.ts';
import { type Browser, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { reportDocument, smallReport } from '../../testing/small-report.ts';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { until } from '../../testing/until.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

type Document = EvaluationPiece['documents'][number];

let reports = 0;
const store = async (by: Browser, documents: readonly Document[], changes: Partial<EvaluationCreate> = {}) => {
  const hash = String(++reports).padStart(64, '0');
  const reply = await by.ask('/v2/evaluations', 'POST', smallReport({ hash, ...changes }, 5000));
  assert.equal(reply.status, 201, await reply.clone().text());
  const { id } = evaluationGetSchema.parse(await reply.json());
  for (let at = 0; at < documents.length; at += 500) {
    const piece = { task: 0, documents: documents.slice(at, at + 500) };
    assert.equal((await by.ask(`/v2/evaluations/${id}/documents`, 'POST', piece)).status, 200);
  }
  return id;
};
const compare = async (by: Browser, a: string, b: string) =>
  evaluationComparisonSchema.parse(await (await by.ask(`/v2/evaluations/${a}/comparison?other=${b}`)).json());
const changes = async (by: Browser, a: string, b: string, query = '') => {
  const reply = await by.ask(`/v2/evaluations/${a}/comparison/documents?other=${b}&${query}`);
  assert.equal(reply.status, 200, await reply.clone().text());
  return documentChangePageSchema.parse(await reply.json());
};

/** The document with another margin. */
const moved = (id: number, margin: number): Document => ({
  ...reportDocument(id),
  log_likelihoods: [-10, -10 + margin],
  values: { acc: Number(margin > 0), acc_norm: 1 },
});
/** With `[` and quotes in its text, as a document may have. */
const odd = (id: number): Document => ({ ...reportDocument(id), context: '"log_likelihoods":[1] \\"' });

test('compares two evaluations document by document, and lists flipped answers first', async () => {
  const by = await registerAndSignIn(it, 'percy');
  // Margins -1, 0, 1, 2, 3, 4; of the other one -1, 2, -1, 2.5, 9, and the last document is missing.
  const a = await store(by, [odd(0), ...[1, 2, 3, 4, 5].map(reportDocument)]);
  const b = await store(by, [odd(0), moved(1, 2), moved(2, -1), moved(3, 2.5), moved(4, 9)]);
  const { before, after: second, tasks, left_out } = await compare(by, a, b);
  assert.deepEqual([before.id, second.id, left_out], [a, b, []]);
  const { divergence, ...task } = tasks[0]!;
  assert.deepEqual(task, {
    task: 'piqa',
    form: 'harness',
    index: 0,
    documents: 5,
    accuracies: [{ metric: 'acc', before: 0.6, after: 0.6, gained: 1, lost: 1, p: 1 }],
    perplexity: null,
    flips: 2,
    mean_difference: (2 + 2 + 0.5 + 6) / 10,
  });
  // The first and the fourth change by 0 and a little; the second from (1/2, 1/2), the third from logistic(1) to logistic(-1).
  const share = (margin: number): number => 1 / (1 + Math.exp(-margin));
  const of = (p: number, q: number): number => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
  const values = [
    [-1, -1],
    [0, 2],
    [1, -1],
    [2, 2.5],
    [3, 9],
  ].map(([p, q]) => of(share(p!), share(q!)));
  assert.ok(Math.abs(divergence!.mean - values.reduce((sum, each) => sum + each, 0) / 5) < 1e-12);
  const list = await changes(by, a, b);
  assert.deepEqual(
    list.data.map(({ id, is_flipped, margin_change }) => [id, is_flipped, margin_change]),
    [
      [1, true, 2],
      [2, true, -2],
      [4, false, 6],
      [3, false, 0.5],
      [0, false, 0],
    ],
  );
  assert.deepEqual([list.total, list.next_cursor], [5, null]);
  const [{ before: first, after: then }] = list.data as [(typeof list.data)[0]];
  assert.deepEqual(
    [first.log_likelihoods, then.log_likelihoods],
    [
      [-10, -10],
      [-10, -8],
    ],
  );
  const idsOf = async (query: string) => (await changes(by, a, b, query)).data.map(({ id }) => id);
  assert.deepEqual(await idsOf('change=flipped'), [1, 2]);
  assert.deepEqual(await idsOf('change=gained'), [1]);
  assert.deepEqual(await idsOf('change=lost'), [2]);
  assert.deepEqual(await idsOf('change=lost&by=acc_norm'), []);
});

test('pages through the changes of thousands of documents without losing or repeating one', async () => {
  const by = await registerAndSignIn(it, 'mary');
  const count = 4300;
  const a = await store(
    by,
    Array.from({ length: count }, (_, id) => moved(id, (id % 7) - 3)),
  );
  const b = await store(
    by,
    Array.from({ length: count }, (_, id) => moved(id, (id % 5) - 2)),
  );
  const { tasks } = await compare(by, a, b);
  assert.equal(tasks[0]?.documents, count);
  let [total, differences] = [0, 0];
  for (let id = 0; id < count; id++) {
    total += Math.abs((id % 5) - 2 - ((id % 7) - 3));
    differences += Number((id % 7) - 3 > 0 !== (id % 5) - 2 > 0);
  }
  assert.equal(tasks[0]?.mean_difference, total / count / 2);
  assert.equal(tasks[0]?.flips, differences);
  const seen: number[] = [];
  let rank = Number.POSITIVE_INFINITY;
  for (let cursor: string | null | undefined = ''; typeof cursor === 'string'; ) {
    const page = await changes(by, a, b, `limit=100&cursor=${cursor}`);
    assert.equal(page.total, count);
    for (const { id, is_flipped, margin_change } of page.data) {
      seen.push(id);
      const own = (is_flipped ? 1000 : 0) + Math.abs(margin_change!);
      assert.ok(own <= rank);
      rank = own;
    }
    cursor = page.next_cursor;
  }
  assert.equal(seen.length, count);
  assert.equal(new Set(seen).size, count);
});

test('tests the difference of two perplexities by a bootstrap of pairs', async () => {
  const by = await registerAndSignIn(it, 'lord');
  const metrics = [
    { metric: 'perplexity', value: 3, standard_error: 0.1 },
    { metric: 'acc', value: 1, standard_error: 0 },
  ];
  const [task] = smallReport({}, 5000).tasks;
  const head = { tasks: [{ ...task!, metrics }] };
  const text = (id: number, by: number): Document => ({
    ...reportDocument(id),
    gold: 0,
    log_likelihoods: [-1 - (id % 7) / 10 - by],
    greedy: [true],
    values: { acc: 1, perplexity: -1 },
  });
  const ids = Array.from({ length: 50 }, (_, id) => id);
  const a = await store(
    by,
    ids.map((id) => text(id, 0)),
    head,
  );
  const b = await store(
    by,
    ids.map((id) => text(id, 0.1)),
    head,
  );
  const { perplexity } = (await compare(by, a, b)).tasks[0]!;
  assert.ok(perplexity !== null);
  assert.ok(Math.abs(perplexity.after / perplexity.before - Math.exp(0.1)) < 1e-12);
  assert.ok(perplexity.low > 0 && perplexity.low < perplexity.difference && perplexity.difference < perplexity.high);
  const same = (await compare(by, a, a)).tasks[0]!;
  assert.deepEqual([same.perplexity?.low, same.perplexity?.high, same.flips, same.divergence?.mean], [0, 0, 0, 0]);
});

test('comparisons of a project and their pages wait for each other, and are refused beyond a queue', async () => {
  const by = await registerAndSignIn(it, 'greta');
  const [task] = smallReport().tasks;
  const metrics = [{ metric: 'perplexity', value: 3, standard_error: 0.1 }];
  const document = { ...reportDocument(0), gold: 0, log_likelihoods: [-1], greedy: [true], values: { perplexity: -1 } };
  const id = await store(by, [document], { tasks: [{ ...task!, metrics }] });
  const { db } = it.store;
  const [evaluation] = await db.select().from(evaluations).where(eq(evaluations.id, id));
  const service = createEvaluationService({ db, clock: () => new Date(), storage: { require: async () => {} } });
  const { projectId } = evaluation!;
  let begun = 0;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const compareOnce = () =>
    service.compare(projectId, { before: id, after: id }, async () => {
      begun++;
      await released;
      return { difference: 0, low: 0, high: 0 };
    });
  const comparisons = [compareOnce(), compareOnce()];
  await until(() => begun === 2);
  const waiting = Array.from({ length: 9 }, compareOnce);
  const isRefusal = (error: unknown): boolean =>
    error instanceof ApiError && error.code === 'too_many_requests_at_once' && error.retryAfterSeconds !== null;
  // Eight wait: the first one that settles is the one too many.
  await assert.rejects(Promise.race(waiting), isRefusal);
  const page = { before: id, after: id, task: 0, page: { skip: 0, limit: 1 }, filter: null };
  await assert.rejects(service.changes(projectId, page), isRefusal);
  assert.equal(begun, 2);
  release();
  const ends = await Promise.allSettled([...comparisons, ...waiting]);
  assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 10);
  assert.equal((await service.changes(projectId, page)).data.length, 1);
});

test('refuses evaluations whose requests differ, and those of other projects', async () => {
  const by = await registerAndSignIn(it, 'rita');
  const [task] = smallReport().tasks;
  const others = {
    tasks: [
      { ...task!, requests_hash: 'e'.repeat(64) },
      { ...task!, task: 'mathqa' },
    ],
  };
  const a = await store(by, [reportDocument(0)]);
  const b = await store(by, [], others);
  const c = await store(by, [], { tasks: [...others.tasks.slice(1), task!] });
  const at = async (path: string) => await refusal(await by.ask(`/v2/evaluations/${path}`));
  assert.equal(await at(`${a}/comparison?other=${b}`), '409 conflict');
  assert.equal(await at(`${a}/comparison/documents?other=${b}`), '409 conflict');
  assert.equal(await at(`${a}/comparison/documents?other=${a}&task=1`), '400 invalid_request');
  assert.equal(await at(`${a}/comparison/documents?other=${a}&cursor=1.9999999999.1`), '400 invalid_request');
  assert.equal(await at(`${a}/comparison`), '400 invalid_request');
  assert.equal(await at(`${a}/comparison?other=${a.slice(0, -1)}x`), '404 not_found');
  const { tasks, left_out } = await compare(by, c, b);
  assert.deepEqual(
    [tasks.map(({ task: name, documents, accuracies }) => [name, documents, accuracies]), left_out],
    [[['mathqa', 0, []]], [{ task: 'piqa', form: 'harness', reason: 'other_requests' }]],
  );
  const stranger = await registerAndSignIn(it, 'eve');
  const own = await store(stranger, []);
  for (const path of [
    `${own}/comparison?other=${a}`,
    `${a}/comparison?other=${own}`,
    `${own}/comparison/documents?other=${a}`,
  ]) {
    assert.equal(await refusal(await stranger.ask(`/v2/evaluations/${path}`)), '404 not_found');
  }
});
