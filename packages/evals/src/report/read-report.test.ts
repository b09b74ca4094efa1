import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareReports } from './compare-reports.ts';
import { readReport } from './read-report.ts';

const DOCUMENT = { id: 0, gold: 0, logLikelihoods: [-1], values: { acc: 1 } };
const TASK = {
  task: 'lambada',
  form: 'harness',
  documentCount: 2,
  requestsSha256: 'a',
  metrics: [{ metric: 'perplexity' }, { metric: 'acc' }],
  documents: [DOCUMENT, { ...DOCUMENT, id: 1 }],
};

const HEAD = { format: 'gptj-eval/1', model: { model: 'nano' }, seeds: {} };

const read = (task: object, head: object = {}) =>
  readReport(JSON.stringify({ ...HEAD, ...head, tasks: [{ ...TASK, ...task }] }), 'a.json');

test('a report of gptj eval is read and compared', () => {
  const [change] = compareReports(read({}), read({}));
  assert.deepEqual([change?.documents, change?.perplexity?.difference], [2, 0]);
});

test('a report with a field of another kind is refused by its name', () => {
  for (const [task, message] of [
    [{ metrics: [null] }, /a\.json: expected an object, got null/],
    [{ metrics: [{}] }, /a\.json: expected the name of a metric, got "nothing"/],
    [{ documentCount: 1 }, /a\.json: expected 1 documents of lambada, got 2/],
    [{ documents: [DOCUMENT, null] }, /expected an object, got null/],
    [{ documents: [DOCUMENT, { ...DOCUMENT, gold: 'a' }] }, /expected a document with id, gold/],
  ] as const) {
    assert.throws(() => read(task), { code: 'results_invalid', message });
  }
  for (const head of [{ model: null }, { model: {} }, { seeds: 1 }]) {
    assert.throws(() => read({}, head), { code: 'results_invalid', message: /^a\.json: expected / });
  }
});

test('documents with other numbers of requests are not compared', () => {
  const other = read({ documents: [DOCUMENT, { ...DOCUMENT, id: 1, logLikelihoods: [] }] });
  for (const [a, b] of [
    [read({}), other],
    [other, read({})],
  ] as const) {
    assert.throws(() => compareReports(a, b), { code: 'results_invalid', message: /document 1 of lambada/ });
  }
});
