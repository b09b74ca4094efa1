// few-shot.json: {cases: [{task, shots, limit, examples, requests, sha256}]}. The requests of the first `limit` documents are
// built with few-shot examples of the task's own documents or, where `examples` is a number, of a split that consists of that
// many of the first documents; null stands for all documents.
import { findTask, hashRequests, readTaskDocuments, withExamples } from '@gptj-cloud/evals';
import { type Fields, toFields } from './golden-json.ts';
import { compareTexts, type GoldenResult } from './golden-runner.ts';

export async function* runFewShot(text: string): AsyncGenerator<GoldenResult> {
  for (const entry of toFields(JSON.parse(text), 'the file').list('cases')) yield await run(toFields(entry, 'a case'));
}

async function run(expected: Fields): Promise<GoldenResult> {
  const task = findTask(expected.text('task'));
  const all = await readTaskDocuments(task);
  const first = (count: unknown): typeof all | null => (typeof count === 'number' ? all.slice(0, count) : null);
  const shots = expected.number('shots');
  const examples = first(expected.raw('examples'));
  const documents = first(expected.raw('limit')) ?? all;
  const requests = withExamples(task, documents, { shots, examples, all }).flat();
  return compareTexts(
    `${task.name}, ${shots} examples of ${examples === null ? 'its own documents' : 'another split'}`,
    `${expected.number('requests')} requests, ${expected.text('sha256')}`,
    `${requests.length} requests, ${hashRequests(requests, 'harness')}`,
  );
}
