import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choiceDocument } from '../tasks/documents.ts';
import { withExamples } from './few-shot.ts';

const documents = Array.from({ length: 10 }, (_, at) =>
  choiceDocument({ at }, { context: `Q${at}`, choices: [`a${at}`, `b${at}`], gold: at % 2 }),
);

const OWN_ONLY = { leavesOutDocument: { own: true, other: false } };

// CPython 3.11.7: r = random.Random(1234), then [x for x in r.sample(range(10), 3) if x != d][:2] for d = 0, 1, 2.
test('examples are drawn in the order of CPython, without the document itself', () => {
  const requests = withExamples(OWN_ONLY, documents, { shots: 2, examples: null, all: documents });
  const drawn = requests.map(([request]) =>
    [...(request?.context ?? '').matchAll(/Q(\d) (\w\d)\n\n/g)].map(([, at]) => Number(at)),
  );
  assert.deepEqual(drawn.slice(0, 3), [
    [7, 1],
    [0, 9],
    [1, 5],
  ]);
  assert.ok(drawn.every((examples, at) => examples.length === 2 && !examples.includes(at)));
  assert.match(requests[0]?.[0]?.context ?? '', /\n\nQ0$/);
});

test('examples of another split are drawn without an extra one', () => {
  const [first] = withExamples(OWN_ONLY, documents.slice(0, 1), {
    shots: 1,
    examples: documents.slice(5),
    all: documents,
  });
  assert.equal(first?.[0]?.context.split('\n\n').length, 2);
});

// CPython 3.11.7: r = random.Random(1234); r.sample([0, 0, 0, 0, 1, 2, 3], 3) is [3, 0, 0], so the sampler of the harness
// goes on with r.sample([1, 2, 3], 2), which is [1, 3].
test('copies of a document are left out too, and examples drawn again where too few remain', () => {
  const copies = [0, 0, 0, 0, 1, 2, 3].map((at) => documents[at]!);
  const [first] = withExamples(OWN_ONLY, documents.slice(0, 1), { shots: 2, examples: null, all: copies });
  assert.equal(first?.[0]?.context, 'Q1 b1\n\nQ3 b3\n\nQ0');
});

test('a task that leaves no document out has it among its own examples', () => {
  const keeps = { leavesOutDocument: { own: false, other: false } };
  const two = documents.slice(0, 2);
  const requests = withExamples(keeps, two, { shots: 2, examples: null, all: two });
  for (const [request] of requests) assert.match(request?.context ?? '', /Q0 a0\n\n/);
});

test('too few documents to draw from are refused with their number', () => {
  const few = documents.slice(0, 2);
  for (const [examples, message] of [
    [null, /expected at least 3 documents to draw 2 examples from, got 2; lower --shots/],
    [few.slice(1), /expected at least 2 documents to draw 2 examples from, got 1/],
  ] as const) {
    assert.throws(() => withExamples(OWN_ONLY, few, { shots: 2, examples, all: few }), {
      code: 'data_invalid',
      message,
    });
  }
});

test('without shots the contexts are those of the documents', () => {
  const requests = withExamples(OWN_ONLY, documents, { shots: 0, examples: null, all: documents });
  assert.deepEqual(requests[3], documents[3]?.requests);
});
