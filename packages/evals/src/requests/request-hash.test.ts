import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUILTIN_TASKS } from '../tasks/builtin-tasks.ts';
import { TASK_FORMS } from '../tasks/task.ts';
import { readTaskDocuments } from '../tasks/task-file.ts';
import { toPublishedText } from './published-text.ts';
import { hashRequests } from './request-hash.ts';

// The hashes are those of lm-evaluation-harness's v0 requests, and of the same after ftfy 6.3.1 with NFKC, made in Python.
for (const task of BUILTIN_TASKS) {
  test(`the requests of ${task.name} have their hash in both forms`, async () => {
    const documents = await readTaskDocuments(task);
    assert.equal(documents.length, task.data?.documents);
    const requests = documents.flatMap((document) => document.requests);
    assert.equal(requests.length, task.data?.requests);
    for (const form of TASK_FORMS) assert.equal(hashRequests(requests, form), task.requestHashes?.[form], form);
  });
}

test('the published form has straight quotes and compatibility characters', () => {
  assert.equal(toPublishedText('“It’s ﬁne”…'), '"It\'s fine"...');
});

test('options of MathQA that are the text of a list are split like the others', async () => {
  const mathqa = BUILTIN_TASKS.find(({ name }) => name === 'mathqa');
  const document = mathqa?.read({
    Problem: 'p',
    options: "['a ) 3 : 2', 'b ) 2 : 3', 'c ) 1 : 2', 'd ) 4 : 1', 'e ) none of these']",
    correct: 'b',
  });
  assert.deepEqual(document?.choices, ["3 : 2'", "2 : 3'", "1 : 2'", "4 : 1'", "none of these']"]);
});
